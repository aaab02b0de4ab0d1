/** A person's visits in time, with the messages that reached them and the goals they reached. */

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'
import type { EChartsCoreOption } from 'echarts/core'
import { duration, instant } from '../../parts/format'
import type { Colours } from '../../parts/chart/colours'
import { PERSON } from '../../text/people'
import { OUTCOME } from '../../text/story'
import { many } from '../shared/numbers'
import type { Tone } from './facts'
import type { Visits } from './person'
import { toneOf, type ActionStory } from './story'

/** A visit of a second is still seen among weeks. */
const LEAST_WIDTH = 4
const ROWS = { goal: 0, message: 1, visit: 2 } as const

export function visitsOption(visits: Visits, colours: Colours): EChartsCoreOption {
  const room = Math.max((visits.to - visits.from) * 0.02, 1_000)
  return {
    grid: { left: 76, right: 16, top: 8, bottom: 26 },
    tooltip: { trigger: 'item' },
    xAxis: { type: 'time', min: visits.from - room, max: visits.to + room },
    yAxis: {
      type: 'category', data: [PERSON.legend.goal, PERSON.actions, PERSON.visits], axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: colours.border } },
    },
    series: [visitSeries(visits, colours), messageSeries(visits, colours), goalSeries(visits, colours)],
  }
}

function visitSeries(visits: Visits, colours: Colours) {
  return {
    name: PERSON.visits,
    type: 'custom',
    renderItem: drawVisit,
    encode: { x: [0, 1], y: 2 },
    itemStyle: { color: colours['series-1'], opacity: 0.85 },
    tooltip: {
      formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
        const visit = visits.sessions[dataIndex]!
        const by = visit.channel ? `\n${PERSON.visitColumns.channel} ${visit.channel}` : ''
        return `${instant(visit.started_at)}\n${duration(visit.ended_at - visit.started_at)}, ${many(visit.n_events, 'event')}${by}`
      },
    },
    data: visits.sessions.map((visit) => [visit.started_at, visit.ended_at, ROWS.visit]),
  }
}

function drawVisit(_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) {
  const [left = 0, y = 0] = api.coord([api.value(0), api.value(2)])
  const [right = 0] = api.coord([api.value(1), api.value(2)])
  const height = 16
  return {
    type: 'rect' as const,
    shape: { x: left, y: y - height / 2, width: Math.max(right - left, LEAST_WIDTH), height, r: 3 },
    style: { fill: api.visual('color'), opacity: 0.85 },
  }
}

function messageSeries(visits: Visits, colours: Colours) {
  return {
    name: PERSON.actions,
    type: 'scatter',
    symbolSize: 11,
    tooltip: {
      formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
        const action = visits.actions[dataIndex]!
        return `${instant(action.at)}\n${PERSON.from(action.journey, action.state)}\n${OUTCOME[action.outcome]}`
      },
    },
    data: visits.actions.map((action) => ({
      value: [action.at, ROWS.message],
      symbol: SYMBOLS[toneOf(action.outcome)],
      itemStyle: { color: colourOf(action, colours) },
    })),
  }
}

function goalSeries(visits: Visits, colours: Colours) {
  return {
    name: PERSON.legend.goal,
    type: 'scatter',
    symbol: 'diamond',
    symbolSize: 13,
    itemStyle: { color: colours.good },
    tooltip: {
      formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
        const goal = visits.goals[dataIndex]!
        return `${instant(goal.at)}\n${goal.journey}`
      },
    },
    data: visits.goals.map((goal) => [goal.at, ROWS.goal]),
  }
}

/** Outcomes differ by shape as well as by colour. */
const SYMBOLS: Readonly<Record<Tone, string>> = { good: 'circle', plain: 'circle', bad: 'triangle', warn: 'rect' }

function colourOf(action: ActionStory, colours: Colours): string {
  const tone = toneOf(action.outcome)
  return tone === 'plain' ? colours.info : colours[tone]
}
