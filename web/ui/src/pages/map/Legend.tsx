/** What the lines of the map mean. */

import { cx } from '../../parts/cx'
import { MAP } from '../../text/map'
import css from './Map.module.css'
import type { MapModel } from './model'

export function Legend({ model, compare }: { readonly model: MapModel; readonly compare: string }) {
  const words = MAP.legend
  if (compare) {
    const [name = '', values = ''] = compare.split(': ')
    const [one = name, other = MAP.filters.others] = values.split(' / ')
    const told = MAP.differenceLegend(one, other)
    return (
      <ul className={css.legend} aria-label={words.title}>
        <li><span className={cx(css.line, css.lineOne)} />{told.one}</li>
        <li><span className={cx(css.line, css.lineOther)} />{told.other}</li>
        <li>{told.unsure}</li>
      </ul>
    )
  }
  const has = new Set(model.edges.map((edge) => edge.way))
  return (
    <ul className={css.legend} aria-label={words.title}>
      <li><span className={css.line} />{words.forward}</li>
      {has.has('back') && <li title={words.order}><span className={cx(css.line, css.lineBack)} />{words.back}</li>}
      {has.has('repeat') && <li><span className={cx(css.line, css.lineRepeat)} />{words.repeat}</li>}
      {has.has('skip') && <li><span className={cx(css.line, css.lineSkip)} />{words.skip}</li>}
      <li>{words.width}</li>
    </ul>
  )
}
