/** How the house is doing, in figures. */

import { useLive } from '../../api/live'
import type { StatusView } from '../../api/schema'
import { Figure, Figures } from '../../parts/Figure'
import { ago, count, duration, instant } from '../../parts/format'
import { OPERATE } from '../../text/operate'
import { bytes, lagOf, toneOfLag } from './health'

export function StatusFigures({ status }: { readonly status: StatusView }) {
  const { status: words } = OPERATE
  const { progress } = useLive()
  const lag = progress?.lag ?? lagOf(status)
  const tone = toneOfLag(lag)
  const more = status.operating
  const dead = status.counts['dead_letters'] ?? 0
  return (
    <Figures>
      <Figure label={words.lag} value={count(lag)} note={lag === 0 ? words.caughtUp : words.behind} tone={tone === 'bad' ? 'bad' : undefined} />
      <Figure label={words.position} value={count(Math.max(status.log_end, progress?.position ?? 0))} note={words.version(status.version)} />
      <Figure
        label={words.outbox} value={count(status.counts['outbox'])}
        note={more?.oldest_action_at ? words.oldest(ago(more.oldest_action_at, Date.now())) : undefined}
      />
      <Figure label={words.dead} value={count(dead)} tone={dead > 0 ? 'bad' : undefined} />
      {more?.commits && <Figure label={words.commits} value={duration(more.commits.p50)} note={words.p95(duration(more.commits.p95))} />}
      {more?.lake_lag_ms != null && <Figure label={words.lake} value={duration(more.lake_lag_ms)} />}
      {more && more.data_bytes > 0 && <Figure label={words.disk} value={bytes(more.data_bytes)} note={words.free(bytes(more.free_bytes))} />}
      <Figure label={words.clock} value={status.clock ? ago(progress?.clock ?? status.clock, Date.now()) : '—'} note={instant(progress?.clock ?? status.clock)} />
    </Figures>
  )
}
