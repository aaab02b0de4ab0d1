/** A page that is being built. */

import { Empty } from '../../parts/Empty'
import { Page } from '../../parts/Page'
import { SHELL } from '../../text/shell'

export default function AuthorPage() {
  return <Page title={SHELL.pages.author}><Empty title={SHELL.soon} /></Page>
}
