/** What numbers mean: whatever decided them, as the answer says it. */

import { SHARED } from '../../text/shared'
import { definitionRows } from './definitionRows'
import css from './shared.module.css'

export function Definition({ definition }: { readonly definition: Readonly<Record<string, unknown>> }) {
  const rows = definitionRows(definition)
  if (rows.length === 0) return null
  return (
    <details className={css.definition}>
      <summary>{SHARED.definition}</summary>
      <dl>
        {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </details>
  )
}
