/** Guards that were asked: what each answered, and the values it saw. */

import type { Judged } from '../../api/schema'
import { Icon } from '../../parts/Icon'
import { PERSON } from '../../text/people'
import { sawOf } from './facts'
import css from './person.module.css'

export function Judging({ judged, isNow }: {
  readonly judged: readonly Judged[]
  /** They are asked of how things are, and nothing was decided by them. */
  readonly isNow?: boolean
}) {
  if (judged.length === 0) return null
  return (
    <ul className={css.judged}>
      {judged.map((one, i) => (
        <li key={i} data-held={one.held}>
          <Icon name={one.held ? 'check' : 'close'} size={13} />
          <span className="visually-hidden">{isNow ? PERSON.would(one.held) : one.held ? PERSON.held : PERSON.didNot}</span>
          <code>{one.guard}</code>
          {sawOf(one) && <span className={css.saw}>{PERSON.saw} <code>{sawOf(one)}</code></span>}
        </li>
      ))}
    </ul>
  )
}
