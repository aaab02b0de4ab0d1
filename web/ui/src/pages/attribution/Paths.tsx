/** The ways people came, by channel. */

import { Answer } from '../../parts/Answer'
import { Card } from '../../parts/Card'
import { count, duration, interval, share } from '../../parts/format'
import { Stacked } from '../../parts/Stacked'
import { Table } from '../../parts/Table'
import { ATTRIBUTION } from '../../text/attribution'
import css from './attribution.module.css'
import type { PathsAnswer } from './answers'
import { usePaths, type Asked } from './useAttribution'

type Variant = PathsAnswer['variants'][number]

const { pathColumns: NAMES } = ATTRIBUTION

export function Paths({ asked }: { readonly asked: Asked }) {
  const paths = usePaths(asked, asked.conversion !== '')
  return (
    <Card title={ATTRIBUTION.paths} note={ATTRIBUTION.pathsNote} isFlush>
      <Answer query={paths}>
        {({ variants }) => (
          <Table
            label={ATTRIBUTION.paths} rows={variants} rowKey={nameOf} csvName="paths" perPage={12}
            columns={[
              { key: 'path', title: NAMES.path, value: nameOf, cell: (row) => <Way row={row} />, isFixed: true },
              { key: 'people', title: NAMES.people, isNumber: true, value: (row) => row.count, cell: (row) => count(row.count) },
              {
                key: 'share', title: NAMES.share, isNumber: true, value: (row) => row.share,
                cell: (row) => <Stacked notes={[interval(row.low, row.high)]}>{share(row.share)}</Stacked>,
              },
              { key: 'took', title: NAMES.took, isNumber: true, value: (row) => row.p50_ms, cell: (row) => duration(row.p50_ms) },
            ]}
          />
        )}
      </Answer>
    </Card>
  )
}

function Way({ row }: { readonly row: Variant }) {
  if (row.path === null) return <span className={css.muted}>{ATTRIBUTION.otherPaths(row.n_variants)}</span>
  return <span className={css.way}>{row.path.map((channel, i) => <span key={i}>{channel}</span>)}</span>
}

function nameOf(row: Variant): string {
  return row.path === null ? ATTRIBUTION.otherPaths(row.n_variants) : row.path.join(' > ')
}
