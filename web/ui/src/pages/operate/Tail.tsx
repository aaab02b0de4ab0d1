/** The live tail of events with their verdicts: it can be paused and filtered. */

import { useQuery } from '@tanstack/react-query'
import { listSources, type TailVerdict } from '../../api/operate'
import { Badge, type Tone } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { FilterBar, Select, TextField } from '../../parts/Filters'
import { instant } from '../../parts/format'
import { PersonLink } from '../../parts/PersonLink'
import { Table, type Column } from '../../parts/Table'
import { useAddress } from '../../parts/url'
import { OPERATE, TAIL } from '../../text/operate'
import { useSteps } from '../shared/useSteps'
import css from './operate.module.css'
import { whoOf, type TailRow } from './tailRows'
import { useTail } from './useTail'

export const VERDICT_TONES: Readonly<Record<TailVerdict, Tone>> = { taken: 'good', duplicate: 'plain', failed: 'bad', refused: 'warn' }
const VERDICTS = Object.entries(TAIL.verdicts).map(([value, label]) => ({ value, label }))

export function TailTab() {
  const address = useAddress()
  const filter = { source: address.get('source'), name: address.get('name'), verdict: address.get('verdict') }
  const isFiltered = Object.values(filter).some(Boolean)
  const { tail, state, change } = useTail(filter)
  const { steps } = useSteps()
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => listSources(signal) })
  const set = (name: string) => (value: string) => address.set({ [name]: value })
  return (
    <Card
      title={OPERATE.tabs.events} note={TAIL.note} isFlush
      actions={
        <>
          <Badge tone={tail.isPaused ? 'warn' : state === 'open' ? 'good' : 'warn'} hasDot>{tail.isPaused ? TAIL.paused : TAIL.state[state]}</Badge>
          <Button isSmall icon={tail.isPaused ? 'play' : 'pause'} onClick={() => change({ is: tail.isPaused ? 'resumed' : 'paused' })}>
            {tail.isPaused ? TAIL.resume(tail.waiting.length) : TAIL.pause}
          </Button>
          <Button isSmall look="quiet" icon="trash" onClick={() => change({ is: 'cleared' })}>{TAIL.clear}</Button>
        </>
      }
    >
      <div className={css.filters}>
        <FilterBar onClear={isFiltered ? () => address.set({ source: null, name: null, verdict: null }) : undefined}>
          <Select
            label={TAIL.source} value={filter.source} onChange={set('source')}
            choices={[{ value: '', label: TAIL.any }, ...(sources.data ?? []).map(({ name }) => ({ value: name, label: name }))]}
          />
          <TextField label={TAIL.name} value={filter.name} placeholder={TAIL.any} choices={steps} onChange={set('name')} width={170} />
          <Select label={TAIL.verdict} value={filter.verdict} onChange={set('verdict')} choices={[{ value: '', label: TAIL.any }, ...VERDICTS]} />
        </FilterBar>
        {tail.nSkipped > 0 && <p className={css.muted}>{TAIL.skipped(tail.nSkipped)}</p>}
      </div>
      <Table
        label={OPERATE.tabs.events} rows={tail.rows} columns={COLUMNS} rowKey={(row) => String(row.key)} perPage={40} csvName="events"
        empty={<Nothing isFiltered={isFiltered} />}
      />
    </Card>
  )
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty icon="clock" title={TAIL.nothingFits} />
  return (
    <Empty icon="clock" title={TAIL.emptyTitle}>
      <p>{TAIL.empty}</p>
      <pre className={css.code}>{TAIL.emptyCommand}</pre>
    </Empty>
  )
}

const { columns: NAMES } = TAIL

const COLUMNS: readonly Column<TailRow>[] = [
  { key: 'at', title: NAMES.at, isFixed: true, value: (row) => row.at, cell: (row) => <span className={css.when}>{instant(row.at)}</span> },
  {
    key: 'verdict', title: NAMES.verdict, isFixed: true, value: (row) => row.verdict,
    cell: (row) => <Badge tone={VERDICT_TONES[row.verdict]} hasDot>{TAIL.verdicts[row.verdict]}{row.code && `: ${row.code}`}</Badge>,
  },
  { key: 'type', title: NAMES.type, isFixed: true, value: (row) => row.type },
  { key: 'name', title: NAMES.name, isFixed: true, value: (row) => row.name, cell: (row) => <strong>{row.name || '—'}</strong> },
  { key: 'who', title: NAMES.who, isFixed: true, value: whoOf, cell: (row) => (whoOf(row) ? <PersonLink id={whoOf(row)} /> : '—') },
  { key: 'source', title: NAMES.source, isFixed: true, value: (row) => row.source },
  { key: 'sdk', title: NAMES.sdk, isFixed: true, value: (row) => row.sdk },
  { key: 'id', title: NAMES.id, isFixed: true, value: (row) => row.message_id, cell: (row) => <code className={css.id}>{row.message_id}</code> },
]
