/** The lift of one journey, as a cell and as a figure: never without its interval. */

import type { JourneyView } from '../../api/schema'
import { Badge } from '../../parts/Badge'
import { Figure } from '../../parts/Figure'
import { interval, points } from '../../parts/format'
import { COMMON } from '../../text/common'
import { JOURNEY } from '../../text/journey'
import css from './Journeys.module.css'
import { isClear, useLift } from './useLift'

export function LiftCell({ journey }: { readonly journey: JourneyView }) {
  const lift = useLift(journey)
  if (lift === undefined) return <span className={css.faint}>…</span>
  if (lift === null || lift.effect.estimate === null) return <span className={css.faint} title={JOURNEY.lift.none}>{COMMON.nothing}</span>
  const words = interval(lift.effect.low, lift.effect.high, points)
  return (
    <span className={css.lift} title={words}>
      {points(lift.effect.estimate)}
      {isClear(lift.effect)
        ? <Badge tone={lift.effect.estimate > 0 ? 'good' : 'bad'}>{words}</Badge>
        : <Badge title={words}>{JOURNEY.lift.unclear}</Badge>}
    </span>
  )
}

export function LiftFigure({ journey }: { readonly journey: JourneyView }) {
  const lift = useLift(journey)
  const effect = lift?.effect
  return (
    <Figure
      label={JOURNEY.one.lift} value={lift === undefined ? '…' : points(effect?.estimate)}
      interval={effect ? interval(effect.low, effect.high, points) : undefined}
      note={lift === undefined ? undefined : lift === null ? JOURNEY.lift.none : lift.held < 30 ? JOURNEY.lift.unsure(lift.held) : JOURNEY.one.liftNote}
      tone={effect && isClear(effect) ? ((effect.estimate ?? 0) > 0 ? 'good' : 'bad') : undefined}
    />
  )
}
