/** Sources and the SDKs that send for them. */

import { useQuery } from '@tanstack/react-query'
import { useMoves } from '../../api/live'
import { listSources } from '../../api/operate'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { ago, count, instant } from '../../parts/format'
import { Table, type Column } from '../../parts/Table'
import { SOURCES } from '../../text/operate'
import { sdkRows, type SdkRow } from './health'
import css from './operate.module.css'

const REFRESH_MS = 3_000

export function SourcesTab() {
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => listSources(signal) })
  useMoves('progress', () => void sources.refetch({ cancelRefetch: false }), REFRESH_MS)
  const now = Date.now()
  const { columns: names } = SOURCES
  return (
    <Answer query={sources}>
      {(found) => (
        <div className={css.stack}>
          <Card title={SOURCES.title} note={SOURCES.note} isFlush>
            <Table
              label={SOURCES.title} rows={found} rowKey={(row) => row.name} csvName="sources"
              empty={<Empty icon="link" title={SOURCES.emptyTitle}>{SOURCES.empty}</Empty>}
              columns={[
                { key: 'name', title: names.name, value: (row) => row.name, cell: (row) => <strong>{row.name}</strong> },
                { key: 'key', title: names.key, value: (row) => SOURCES.key(row.write_key_hint), cell: (row) => <code>{SOURCES.key(row.write_key_hint)}</code> },
                { key: 'events', title: names.events, isNumber: true, value: (row) => row.n_events, cell: (row) => count(row.n_events) },
                { key: 'duplicates', title: names.duplicates, isNumber: true, value: (row) => row.n_duplicates, cell: (row) => count(row.n_duplicates) },
                { key: 'failed', title: names.failed, isNumber: true, value: (row) => row.n_failed, cell: (row) => count(row.n_failed) },
                { key: 'first', title: names.first, isNumber: true, value: (row) => row.first_at, cell: (row) => instant(row.first_at, false) },
                { key: 'last', title: names.last, isNumber: true, value: (row) => row.last_at, cell: (row) => ago(row.last_at, now) },
              ]}
            />
          </Card>
          <Card title={SOURCES.sdks} note={SOURCES.sdksNote} isFlush>
            <Table
              label={SOURCES.sdks} rows={sdkRows(found)} columns={sdkColumns(now)} rowKey={(row) => `${row.source} ${row.name} ${row.version}`} csvName="sdks"
              empty={<Empty icon="link" title={SOURCES.noSdks} />}
            />
          </Card>
        </div>
      )}
    </Answer>
  )
}

function sdkColumns(now: number): readonly Column<SdkRow>[] {
  const { sdkColumns: names } = SOURCES
  return [
    { key: 'sdk', title: names.sdk, value: (row) => row.name, cell: (row) => <strong>{row.name}</strong> },
    { key: 'version', title: names.version, value: (row) => row.version, cell: (row) => <>{row.version} {row.isOld && <Badge tone="warn">{SOURCES.old}</Badge>}</> },
    { key: 'source', title: names.source, value: (row) => row.source },
    { key: 'events', title: names.events, isNumber: true, value: (row) => row.n, cell: (row) => count(row.n) },
    { key: 'lastEvent', title: names.lastEvent, value: (row) => row.last_event },
    { key: 'first', title: names.first, isNumber: true, value: (row) => row.first_at, cell: (row) => instant(row.first_at, false) },
    { key: 'last', title: names.last, isNumber: true, value: (row) => row.last_at, cell: (row) => ago(row.last_at, now) },
  ]
}
