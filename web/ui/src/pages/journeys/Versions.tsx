/** The versions of a journey that are kept: what changed from one to the next, and back to an older one. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { getVersionText, listVersions, rollback } from '../../api/journeys'
import type { VersionView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { DiffView } from '../../parts/editor/DiffView'
import { Failure } from '../../parts/Failure'
import { count, instant } from '../../parts/format'
import { useMay } from '../../parts/session'
import { Table } from '../../parts/Table'
import type { Address } from '../../parts/url'
import { COMMON } from '../../text/common'
import { JOURNEY } from '../../text/journey'
import css from './Journeys.module.css'

const WORDS = JOURNEY.one.versions

export default function Versions({ name, address }: { readonly name: string; readonly address: Address }) {
  const mayEdit = useMay('editor')
  const versions = useQuery({ queryKey: ['versions', name], queryFn: () => listVersions(name) })
  const [again, setAgain] = useState<VersionView | null>(null)
  const chosen = address.get('diff') || versions.data?.[0]?.version || ''
  return (
    <>
      <Card title={WORDS.label} isFlush>
        <Answer query={versions}>
          {(found) => (
            <Table
              label={WORDS.label} rows={found} rowKey={(each) => each.version} csvName={`${name}-versions`}
              onPick={(each) => address.set({ diff: each.version })} isPicked={(each) => each.version === chosen}
              columns={[
                { key: 'version', title: WORDS.version, value: (each) => each.version, cell: (each) => <code>{each.version}</code> },
                { key: 'state', title: WORDS.state, value: (each) => each.is_open, cell: (each) => <Badge tone={each.is_open ? 'good' : 'plain'}>{each.is_open ? WORDS.open : each.n_people > 0 ? WORDS.old : WORDS.over}</Badge> },
                { key: 'at', title: WORDS.published, value: (each) => each.published_at, cell: (each) => (each.published_at ? instant(each.published_at) : WORDS.unknown) },
                { key: 'policy', title: WORDS.policy, value: (each) => (each.published_at ? WORDS.policies[each.policy] ?? each.policy : COMMON.nothing) },
                { key: 'inside', title: WORDS.inside, value: (each) => each.n_people, cell: (each) => count(each.n_people), isNumber: true },
                {
                  key: 'again', title: '', value: () => null, isFixed: true,
                  cell: (each) => mayEdit && !each.is_open && (
                    <Button isSmall icon="undo" onClick={(event) => { event.stopPropagation(); setAgain(each) }}>{WORDS.rollback}</Button>
                  ),
                },
              ]}
            />
          )}
        </Answer>
      </Card>
      {chosen && <Difference name={name} version={chosen} />}
      {again && <Again name={name} version={again} onClose={() => setAgain(null)} />}
    </>
  )
}

function Difference({ name, version }: { readonly name: string; readonly version: string }) {
  const text = useQuery({
    queryKey: ['version-text', name, version], queryFn: ({ signal }) => getVersionText(name, version, signal), staleTime: Infinity,
  })
  return (
    <Card
      title={text.data && text.data.before_text === null ? WORDS.text : WORDS.diff}
      note={text.data?.before ? `${text.data.before} → ${version}` : text.data && WORDS.only}
    >
      <Answer query={text}>
        {(found) => (found.before_text === null
          ? <pre className={css.text} tabIndex={0}>{found.text}</pre>
          : <DiffView label={WORDS.diff} before={found.before_text} after={found.text} />)}
      </Answer>
    </Card>
  )
}

function Again({ name, version, onClose }: { readonly name: string; readonly version: VersionView; readonly onClose: () => void }) {
  const queries = useQueryClient()
  const publishing = useMutation({
    mutationFn: () => rollback(name, version.version),
    onSuccess: async () => {
      await queries.invalidateQueries()
      onClose()
    },
  })
  return (
    <Dialog
      title={WORDS.rollbackTitle(version.version)} onClose={onClose}
      actions={(
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button look="primary" isBusy={publishing.isPending} onClick={() => publishing.mutate()}>{WORDS.rollback}</Button>
        </>
      )}
    >
      <p>{WORDS.rollbackText}</p>
      {publishing.isError && <Failure error={publishing.error} />}
    </Dialog>
  )
}
