/** The map as two tables: every step and every move with its numbers. */

import { Card } from '../../parts/Card'
import { duration, points, share } from '../../parts/format'
import { Table, type Column } from '../../parts/Table'
import { MAP } from '../../text/map'
import css from './Map.module.css'
import type { MapEdge, MapModel, MapNode } from './model'
import type { Picked } from './selection'

const TITLES = MAP.table.columns

const STEPS: readonly Column<MapNode>[] = [
  { key: 'name', title: TITLES.name, value: (node) => MAP.step(node.name) },
  { key: 'people', title: TITLES.people, value: (node) => node.people, isNumber: true },
  { key: 'count', title: TITLES.count, value: (node) => node.count, isNumber: true },
  { key: 'share', title: TITLES.share, value: (node) => node.share, cell: (node) => share(node.share), isNumber: true },
  { key: 'dwell', title: TITLES.dwell, value: (node) => node.dwell_p50_ms, cell: (node) => duration(node.dwell_p50_ms), isNumber: true },
  { key: 'conversion', title: TITLES.conversion, value: (node) => node.conversion, cell: (node) => share(node.conversion), isNumber: true },
  { key: 'leaving', title: TITLES.leaving, value: (node) => node.leaving, cell: (node) => share(node.leaving), isNumber: true },
  { key: 'friction', title: TITLES.friction, value: (node) => node.friction?.share, cell: (node) => share(node.friction?.share), isNumber: true },
]

const MOVES: readonly Column<MapEdge>[] = [
  { key: 'from', title: TITLES.from, value: (edge) => MAP.step(edge.source) },
  { key: 'to', title: TITLES.to, value: (edge) => MAP.step(edge.target) },
  { key: 'way', title: TITLES.way, value: (edge) => MAP.legend[edge.way] },
  { key: 'people', title: TITLES.people, value: (edge) => edge.people, isNumber: true },
  { key: 'count', title: TITLES.count, value: (edge) => edge.count, isNumber: true },
  { key: 'share', title: TITLES.shareOut, value: (edge) => edge.share, cell: (edge) => share(edge.share), isNumber: true },
  { key: 'dwell', title: TITLES.dwell, value: (edge) => edge.dwell_p50_ms, cell: (edge) => duration(edge.dwell_p50_ms), isNumber: true },
]

const DIFFERENCES: readonly Column<MapEdge>[] = [
  { key: 'one', title: TITLES.one, value: (edge) => edge.difference?.share_one, cell: (edge) => share(edge.difference?.share_one), isNumber: true },
  { key: 'other', title: TITLES.other, value: (edge) => edge.difference?.share_other, cell: (edge) => share(edge.difference?.share_other), isNumber: true },
  { key: 'difference', title: TITLES.difference, value: (edge) => edge.difference?.difference, cell: (edge) => points(edge.difference?.difference), isNumber: true },
  { key: 'q', title: TITLES.q, value: (edge) => edge.difference?.q, cell: (edge) => share(edge.difference?.q), isNumber: true },
]

export function MapTables({ model, isDifference, onPick }: {
  readonly model: MapModel
  readonly isDifference: boolean
  readonly onPick: (picked: Picked) => void
}) {
  return (
    <div className={css.other}>
      <Card title={MAP.table.steps} isFlush>
        <Table
          label={MAP.table.steps} rows={model.nodes} columns={STEPS} rowKey={(node) => node.name} csvName="steps"
          sortedBy={{ key: 'people', isDown: true }} onPick={(node) => onPick({ kind: 'step', step: node.name })}
        />
      </Card>
      <Card title={MAP.table.moves} isFlush>
        <Table
          label={MAP.table.moves} rows={model.edges} columns={isDifference ? [...MOVES.slice(0, 4), ...DIFFERENCES] : MOVES}
          rowKey={(edge) => edge.id} csvName="moves" sortedBy={{ key: 'people', isDown: true }}
          onPick={(edge) => onPick({ kind: 'move', source: edge.source, target: edge.target })}
        />
      </Card>
    </div>
  )
}
