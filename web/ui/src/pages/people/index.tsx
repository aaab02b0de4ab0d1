/** A page that is being built. */

import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { SHELL } from '../../text/shell'

export default function PeoplePage() {
  return <Page title={SHELL.pages.people}><Empty title={SHELL.soon} /></Page>
}
