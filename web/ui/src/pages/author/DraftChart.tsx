/** The chart of what is being written: follows the cursor, leads it, and changes the text where a step is added. */

import { useEffect, useMemo, useState } from 'react'
import type { ChartView, ProblemView } from '../../api/schema'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Empty } from '../../parts/Empty'
import { shortCount } from '../../parts/format'
import { JourneyChart, type Numbers } from '../../parts/journey/JourneyChart'
import { AUTHOR } from '../../text/author'
import { COMMON } from '../../text/common'
import css from './Author.module.css'
import { addAfter, remove, rename, type StepKind } from './edits'
import { draftOf } from './report'

const WORDS = AUTHOR.chart

export function DraftChart({ chart, isStale, text, line, isReadOnly, problems, report, onWrite, onLine, onClearReport }: {
  readonly chart: ChartView | null
  readonly isStale: boolean
  readonly text: string
  readonly line: number
  readonly isReadOnly: boolean
  readonly problems: readonly ProblemView[]
  readonly report: Readonly<Record<string, unknown>> | null
  readonly onWrite: (text: string) => void
  readonly onLine: (line: number) => void
  readonly onClearReport: () => void
}) {
  const [picked, setPicked] = useState('')
  const atLine = useMemo(() => (chart ? stateAt(chart, line) : ''), [chart, line])
  useEffect(() => setPicked(atLine), [atLine])
  const numbers = useMemo(() => numbersOf(report, chart?.journey ?? ''), [report, chart])
  const wrong = useMemo(() => (chart ? problemsOf(chart, problems) : new Map<string, string>()), [chart, problems])
  if (!chart) return <Empty icon="journeys" title={WORDS.none} />
  const pick = (id: string) => {
    setPicked(id)
    const found = chart.states.find((state) => state.id === id) ?? chart.ways.find((way) => way.id === id)
    if (found?.line) onLine(found.line)
  }
  return (
    <>
      <div className={css.tools}>
        {isStale && <Badge tone="warn">{WORDS.stale}</Badge>}
        {report && <Badge tone="info">{AUTHOR.rehearse.onChart}</Badge>}
        {report && <Button look="quiet" isSmall icon="close" onClick={onClearReport}>{AUTHOR.rehearse.clear}</Button>}
        {!isReadOnly && !isStale && <Tools chart={chart} picked={picked} text={text} onWrite={onWrite} />}
      </div>
      <div className={css.drawing}>
        <JourneyChart chart={chart} {...(report ? { numbers } : {})} picked={picked} onPick={pick} problems={wrong} />
      </div>
    </>
  )
}

function Tools({ chart, picked, text, onWrite }: {
  readonly chart: ChartView
  readonly picked: string
  readonly text: string
  readonly onWrite: (text: string) => void
}) {
  const [isRefused, setIsRefused] = useState(false)
  const [name, setName] = useState<string | null>(null)
  const state = chart.states.find((each) => each.id === picked)
  useEffect(() => {
    setIsRefused(false)
    setName(null)
  }, [picked])
  if (!state || state.kind === 'final') return <span className={css.faint}>{WORDS.pick}</span>
  const edit = (changed: string | null) => {
    setIsRefused(changed === null)
    if (changed !== null) onWrite(changed)
  }
  return (
    <div className={css.row} role="toolbar" aria-label={state.label}>
      <b>{state.label}</b>
      {name === null ? (
        <>
          <span className={css.faint}>{WORDS.add}</span>
          {(['send', 'wait', 'branch'] as const).map((kind: StepKind) => (
            <Button key={kind} isSmall icon={kind === 'wait' ? 'clock' : kind} onClick={() => edit(addAfter(text, state, kind))}>{WORDS[kind]}</Button>
          ))}
          <Button isSmall onClick={() => setName(state.label)}>{WORDS.rename}</Button>
          <Button isSmall icon="trash" label={WORDS.remove} onClick={() => edit(remove(text, state))} />
        </>
      ) : (
        <form className={css.row} onSubmit={(event) => { event.preventDefault(); edit(rename(text, state, name.trim())); setName(null) }}>
          <input className={css.input} aria-label={WORDS.newName} value={name} autoFocus onChange={(event) => setName(event.target.value)} />
          <Button isSmall type="submit" look="primary">{WORDS.rename}</Button>
          <Button isSmall look="quiet" icon="close" label={COMMON.cancel} onClick={() => setName(null)} />
        </form>
      )}
      {isRefused && <span className={css.bad} role="alert">{WORDS.cannot}</span>}
    </div>
  )
}

/** The innermost state whose text a line is in: the last one that begins at it or before. */
function stateAt(chart: ChartView, line: number): string {
  let found = ''
  let from = 0
  for (const { id, line: begins } of chart.states) if (begins !== null && begins <= line && begins >= from) [found, from] = [id, begins]
  return found
}

function problemsOf(chart: ChartView, problems: readonly ProblemView[]): ReadonlyMap<string, string> {
  return new Map(problems.map((problem) => [stateAt(chart, problem.line), problem.message]))
}

function numbersOf(report: Readonly<Record<string, unknown>> | null, journey: string): Numbers {
  const told = draftOf(report, journey)
  return {
    states: Object.fromEntries(Object.entries(told?.states ?? {}).map(([id, n]) => [id, { text: shortCount(n), title: AUTHOR.rehearse.rows.entered }])),
    ways: Object.fromEntries(Object.entries(told?.ways ?? {}).map(([id, n]) => [id, shortCount(n)])),
  }
}
