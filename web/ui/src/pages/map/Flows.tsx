/** The same selection as a flow: where people go after a step, as bands between columns. */

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { askFlows, type FlowsAnswer } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Card } from '../../parts/Card'
import { Chart } from '../../parts/chart/Chart'
import { fade, type Colours } from '../../parts/chart/colours'
import { Select } from '../../parts/Filters'
import { MAP } from '../../text/map'
import { useStepNames } from './data'
import { flowRows, sankeyOf } from './flow'
import css from './Map.module.css'
import { keyOf, selectionOf, type View } from './selection'

const N_COLUMNS = 6
const N_STEPS = 7

export function Flows({ view }: { readonly view: View }) {
  const names = useStepNames()
  const from = view.address.get('from') || names[0] || ''
  const { by: _, ...selection } = selectionOf(view, Date.now())
  const flows = useQuery({
    queryKey: ['flows', ...keyOf(view), view.collapse, from],
    queryFn: ({ signal }) => (
      askFlows({ ...selection, from, columns: N_COLUMNS, limit: N_STEPS, ...(view.collapse ? { collapse: true } : {}) }, signal)
    ),
    enabled: from !== '',
    placeholderData: keepPreviousData,
  })
  return (
    <div className={css.other}>
      <Card
        title={MAP.tabs.sankey} note={MAP.sankey.note}
        actions={<Select label={MAP.sankey.after} value={from} onChange={(next) => view.address.set({ from: next })} choices={names.map((value) => ({ value, label: MAP.step(value) }))} />}
      >
        <Answer query={flows}>{(found) => <Sankey flows={found} />}</Answer>
      </Card>
    </div>
  )
}

function Sankey({ flows }: { readonly flows: FlowsAnswer }) {
  const option = useCallback((colours: Colours) => {
    const { nodes, links } = sankeyOf(flows)
    const series = [1, 2, 3, 5, 6, 7, 4].map((n) => colours[`series-${n}` as keyof Colours])
    const names = [...new Set(nodes.map((node) => node.step))]
    return {
      tooltip: { trigger: 'item' },
      series: [{
        type: 'sankey', left: 8, right: 130, top: 8, bottom: 8, nodeWidth: 12, nodeGap: 12, layoutIterations: 24,
        draggable: false, emphasis: { focus: 'adjacency' },
        lineStyle: { color: 'source', opacity: 0.28, curveness: 0.5 },
        label: { color: colours.text, fontSize: 11, formatter: (at: { data: { label: string } }) => at.data.label },
        data: nodes.map((node) => ({
          ...node,
          itemStyle: { color: node.kind === 'ended' ? fade(colours.bad, 0.65) : node.kind === 'other' ? colours.faint : series[names.indexOf(node.step) % series.length] },
        })),
        links,
      }],
    }
  }, [flows])
  return (
    <Chart label={MAP.sankey.label} option={option} height={520} csvName="flow" table={{ columns: MAP.sankey.columns, rows: flowRows(flows) }} />
  )
}
