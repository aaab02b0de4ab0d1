/** What somebody is called who did something here. */

import { SHELL } from '../text/shell'

/** As the server names whoever signed in with the admin token: no account can be called that. */
const OPERATOR = '$operator'

export function isOperator(name: string): boolean {
  return name === OPERATOR
}

export function whoOf(name: string): string {
  return isOperator(name) ? SHELL.operator : name
}
