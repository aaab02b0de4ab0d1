/** `@sojourn/browser`: what a page calls. */

export { load, type Sojourn } from './running'
export type { Event, Options, Person, Preferences, Properties } from './types'
