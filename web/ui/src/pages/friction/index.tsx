/** A page that is being built. */

import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { SHELL } from '../../text/shell'

export default function FrictionPage() {
  return <Page title={SHELL.pages.friction}><Empty title={SHELL.soon} /></Page>
}
