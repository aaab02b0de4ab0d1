/** One journey explained: its runs with every step, what they wait for, and when somebody could have entered and did not. */

import type { AwaitedView, ExplanationView } from '../../api/schema'
import { Badge } from '../../parts/Badge'
import { ago, instant } from '../../parts/format'
import { PERSON } from '../../text/people'
import { tellAll } from './facts'
import { Judging } from './Judging'
import { Lines } from './Lines'
import css from './person.module.css'
import { runsOf, type RunStory } from './story'

export function Explained({ view }: { readonly view: ExplanationView }) {
  const runs = runsOf(view)
  const refusals = tellAll(view.refusals)
  return (
    <>
      {runs.map((run, i) => <Run key={run.id} run={run} isNewest={i === 0} />)}
      {runs.length === 0 && <p className={css.never}>{PERSON.neverEntered}</p>}
      {(view.hints ?? []).map((hint) => <p key={hint} className={css.hint}>{hint}</p>)}
      {runs.length === 0 && (view.entry ?? []).length > 0 && (
        <div className={css.block}><h3>{PERSON.entry}</h3><Judging judged={view.entry} isNow /></div>
      )}
      {refusals.length > 0 && <div className={css.block}><h3>{PERSON.refusals}</h3><Lines lines={refusals} /></div>}
      {view.is_cut && <p className={css.hint}>{PERSON.cut}</p>}
    </>
  )
}

function Run({ run, isNewest }: { readonly run: RunStory; readonly isNewest: boolean }) {
  return (
    <article className={css.run}>
      <header className={css.runHead}>
        <Badge tone={run.tone} hasDot>{run.isOver ? PERSON.over : PERSON.insideNow}</Badge>
        <strong>{run.headline}</strong>
        <span className={css.muted}>{instant(run.enteredAt)} · {PERSON.run(run.version, run.key)}</span>
      </header>
      {run.awaits.length > 0 && <Awaits awaits={run.awaits} />}
      <details open={isNewest}>
        <summary>{PERSON.steps(run.lines.length)}</summary>
        <Lines lines={run.lines} />
      </details>
    </article>
  )
}

function Awaits({ awaits }: { readonly awaits: readonly AwaitedView[] }) {
  const now = Date.now()
  return (
    <div className={css.block}>
      <h3>{PERSON.awaits}</h3>
      <ul className={css.awaits}>
        {awaits.map((way, i) => (
          <li key={i}>
            <span><code>{way.state}</code>: {whenOf(way, now)}, {PERSON.then(way.to.join(', '))}</span>
            <Judging judged={way.guards ?? []} isNow />
          </li>
        ))}
      </ul>
    </div>
  )
}

function whenOf(way: AwaitedView, now: number): string {
  if (way.due_at != null) return `${ago(way.due_at, now)} (${instant(way.due_at)})`
  return way.event ? PERSON.awaited(way.event) : PERSON.anyChange
}
