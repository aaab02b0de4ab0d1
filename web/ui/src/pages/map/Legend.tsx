/** What the lines of the map mean. */

import { cx } from '../../parts/cx'
import { Icon } from '../../parts/Icon'
import { MAP } from '../../text/map'
import css from './Map.module.css'
import type { MapModel } from './model'
import { sidesOf } from './selection'

/** On each step. */
const MARKS = [
  { icon: 'clock', key: 'dwell' }, { icon: 'right', key: 'converts' }, { icon: 'out', key: 'leaving' }, { icon: 'warn', key: 'friction' },
] as const

export function Legend({ model, compare }: { readonly model: MapModel; readonly compare: string }) {
  const words = MAP.legend
  if (compare) {
    const sides = sidesOf(compare)
    const told = MAP.differenceLegend(sides?.one ?? MAP.since(compare), sides ? sides.other || MAP.filters.others : MAP.before(compare))
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
      {MARKS.map(({ icon, key }) => <li key={key}><Icon name={icon} size={11} />{words.marks[key]}</li>)}
    </ul>
  )
}
