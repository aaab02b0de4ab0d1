/** The steps of a funnel as bars, each with its interval, its time, and where those went who went no further. */

import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { count, duration, interval, share } from '../../parts/format'
import { FUNNELS } from '../../text/funnels'
import { MAP } from '../../text/map'
import type { FunnelAnswer } from './answers'
import css from './funnels.module.css'
import { stepRows, type StepRow } from './reading'
import type { Wanted } from './Who'

const MOST_SHOWN = 5

export function Steps({ answer, onWho }: { readonly answer: FunnelAnswer; readonly onWho: (wanted: Wanted) => void }) {
  const { per } = answer.definition
  return (
    <Card title={FUNNELS.funnel} note={FUNNELS.funnelNote}>
      <ol className={css.steps}>
        {stepRows(answer).map((row, i, rows) => (
          <Step key={row.n} row={row} unit={per} isLast={i === rows.length - 1} onWho={per === 'person' ? onWho : undefined} />
        ))}
      </ol>
    </Card>
  )
}

function Step({ row, unit, isLast, onWho }: {
  readonly row: StepRow
  readonly unit: string
  readonly isLast: boolean
  readonly onWho: ((wanted: Wanted) => void) | undefined
}) {
  const { from_start: ofStart, from_previous: ofPrevious, time } = row
  return (
    <li className={css.step}>
      <header>
        <span className={css.n}>{row.n}</span>
        <strong>{MAP.step(row.step)}</strong>
        <span className={css.counted}>
          {count(row.count)} · {share(ofStart.share)} {row.n > 1 && <span>({interval(ofStart.low, ofStart.high)})</span>}
        </span>
        {onWho && <Button look="quiet" isSmall icon="people" label={FUNNELS.whoReached(row.step)} onClick={() => onWho({ is: 'reached', n: row.n, step: row.step })} />}
      </header>
      <Bar share={ofStart.share} low={row.n > 1 ? ofStart.low : null} high={row.n > 1 ? ofStart.high : null} />
      {row.n > 1 && (
        <p className={css.from}>
          {ofPrevious.of > 0 && FUNNELS.fromPrevious(share(ofPrevious.share), interval(ofPrevious.low, ofPrevious.high))}
          {time && time.count > 0 && `, ${FUNNELS.took(duration(time.from_previous_p50_ms), duration(time.from_previous_p90_ms))}`}
        </p>
      )}
      {!isLast && row.dropped > 0 && <Dropped row={row} unit={unit} onWho={onWho} />}
    </li>
  )
}

function Bar({ share: got, low, high }: { readonly share: number | null; readonly low: number | null; readonly high: number | null }) {
  const percent = (x: number | null) => `${(x ?? 0) * 100}%`
  return (
    <svg className={css.bar} role="presentation" width="100%" height="18">
      <rect className={css.room} width="100%" height="18" rx="4" />
      <rect className={css.got} width={percent(got)} height="18" rx="4" />
      {low !== null && high !== null && high > low && (
        <line className={css.whisker} x1={percent(low)} x2={percent(high)} y1="9" y2="9" />
      )}
    </svg>
  )
}

function Dropped({ row, unit, onWho }: { readonly row: StepRow; readonly unit: string; readonly onWho: ((wanted: Wanted) => void) | undefined }) {
  const shown = row.wentTo.slice(0, MOST_SHOWN)
  return (
    <div className={css.dropped}>
      <p>
        <strong>{unit === 'person' ? FUNNELS.dropped(row.dropped) : FUNNELS.droppedCases(row.dropped, unit)}</strong>
        {onWho && <Button look="quiet" isSmall icon="people" onClick={() => onWho({ is: 'dropped', n: row.n, step: row.step })}>{FUNNELS.who}</Button>}
      </p>
      <ul>
        {shown.map((went) => (
          <li key={`${went.kind}-${went.next}`}>
            <svg className={css.mini} role="presentation" width="64" height="8">
              <rect className={css.room} width="64" height="8" rx="3" />
              <rect className={css.away} width={64 * went.share} height="8" rx="3" />
            </svg>
            <span className={css.shareOf}>{share(went.share)}</span>
            <span>{went.kind === 'ended' ? FUNNELS.ended : went.kind === 'other' ? FUNNELS.otherSteps : MAP.step(went.next ?? '')}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
