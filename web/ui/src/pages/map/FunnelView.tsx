/** The same selection as a funnel: how many get through some steps, one after the other. */

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { askFunnel, type FunnelAnswer } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import { fade, type Colours } from '../../parts/chart/colours'
import { Empty } from '../../parts/Empty'
import { Select } from '../../parts/Filters'
import { count, interval, share } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { MAP } from '../../text/map'
import { useStepNames } from './data'
import css from './Map.module.css'
import type { MapModel } from './model'
import { keyOf, selectionOf, type View } from './selection'

const WORDS = MAP.funnel

export function FunnelView({ view, model }: { readonly view: View; readonly model: MapModel }) {
  const names = useStepNames()
  const steps = view.steps.length > 0 ? view.steps : likelySteps(model)
  const { by: _, ...selection } = selectionOf(view, Date.now())
  const funnel = useQuery({
    queryKey: ['map-funnel', ...keyOf(view), steps],
    queryFn: ({ signal }) => askFunnel({ ...selection, step: steps }, signal),
    enabled: steps.length >= 2,
    placeholderData: keepPreviousData,
  })
  const set = (next: readonly string[]) => view.address.set({ step: next })
  return (
    <div className={css.other}>
      <Card title={MAP.tabs.funnel} note={WORDS.note}>
        <div className={css.row}>
          <ol className={css.chips}>
            {steps.map((step, i) => (
              <li key={`${i} ${step}`} className={css.chip}>
                {i + 1}. {MAP.step(step)}
                <button type="button" aria-label={WORDS.remove(step)} onClick={() => set(steps.filter((_step, at) => at !== i))}><Icon name="close" size={11} /></button>
              </li>
            ))}
          </ol>
          <Select
            label={WORDS.add} isLabelHidden value="" onChange={(step) => { if (step) set([...steps, step]) }}
            choices={[{ value: '', label: WORDS.add }, ...names.map((value) => ({ value, label: MAP.step(value) }))]}
          />
          {view.steps.length > 0 && <Button look="quiet" isSmall icon="undo" onClick={() => set([])}>{WORDS.reset}</Button>}
        </div>
        {steps.length < 2 ? <Empty icon="funnel" title={WORDS.need} /> : <Answer query={funnel}>{(found) => <Drawing found={found} />}</Answer>}
      </Card>
    </div>
  )
}

function Drawing({ found }: { readonly found: FunnelAnswer }) {
  const option = useCallback((colours: Colours) => ({
    grid: { left: 8, right: 24, top: 24, bottom: 8, containLabel: true },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: { type: 'category', data: found.steps.map((step) => MAP.step(step.step)), axisLabel: { interval: 0, hideOverlap: true } },
    yAxis: { type: 'value', minInterval: 1 },
    series: [
      {
        name: MAP.table.columns.people, type: 'bar', stack: 'all', barMaxWidth: 88, itemStyle: { color: colours.accent, borderRadius: 4 },
        data: found.steps.map((step) => step.people),
        label: {
          show: true, position: 'top', color: colours.text, fontSize: 11,
          formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
            const step = found.steps[dataIndex]
            return step ? `${count(step.people)}  ${share(step.from_start.share)}` : ''
          },
        },
      },
      {
        name: WORDS.lost, type: 'bar', stack: 'all', barMaxWidth: 88, itemStyle: { color: fade(colours.faint, 0.16), borderRadius: 4 },
        data: found.steps.map((step, i) => (i === 0 ? 0 : (found.steps[i - 1]?.people ?? 0) - step.people)),
      },
    ],
  }), [found])
  return (
    <Chart
      label={WORDS.label} option={option} height={340} csvName="funnel"
      table={{
        columns: WORDS.columns,
        rows: found.steps.map((step) => [
          MAP.step(step.step), step.people, `${share(step.from_start.share)} (${interval(step.from_start.low, step.from_start.high)})`,
          `${share(step.from_previous.share)} (${interval(step.from_previous.low, step.from_previous.high)})`,
        ]),
      }}
    />
  )
}

/** Where most begin, the two commonest steps on the way, and the goal. */
function likelySteps(model: MapModel): readonly string[] {
  const goal = model.nodes.find((node) => node.isGoal)
  const first = model.nodes.toSorted((a, b) => b.starts - a.starts)[0]
  if (!goal || !first) return []
  const between = model.nodes
    .filter((node) => node !== goal && node !== first && (node.conversion ?? 0) > (first.conversion ?? 0))
    .toSorted((a, b) => b.people - a.people).slice(0, 3)
    .toSorted((a, b) => (a.conversion ?? 0) - (b.conversion ?? 0))
  return [first, ...between, goal].map((node) => node.name)
}
