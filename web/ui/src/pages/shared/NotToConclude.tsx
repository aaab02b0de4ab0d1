/** What not to conclude: the end of every page that tells effects. */

import { Card } from '../../parts/Card'
import { SHARED } from '../../text/shared'
import css from './shared.module.css'

export function NotToConclude({ cautions }: { readonly cautions: readonly string[] }) {
  if (cautions.length === 0) return null
  return (
    <Card title={SHARED.notToConclude}>
      <ul className={css.cautions}>{cautions.map((caution) => <li key={caution}>{caution}</li>)}</ul>
    </Card>
  )
}
