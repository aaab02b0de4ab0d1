/** Writing a file: its text and its chart side by side, checked as it is typed, rehearsed and published from here. */

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'
import { useLocation, useParams } from 'wouter'
import { dropDraft, getFile } from '../../api/authoring'
import type { FileView, RehearsalView } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge, type Tone } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { YamlEditor } from '../../parts/editor/YamlEditor'
import { Failure } from '../../parts/Failure'
import { Page } from '../../parts/Page'
import { useMay } from '../../parts/session'
import { COMMON } from '../../text/common'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'
import { Conflict } from './Conflict'
import { savedOf, type Saved } from './draft'
import { DraftChart } from './DraftChart'
import { whenLeft } from './left'
import { Problems } from './Problems'
import { Publish } from './Publish'
import { Rehearse } from './Rehearse'
import { useCheck, useComplete } from './useCheck'
import { useDraft } from './useDraft'

export default function EditPage() {
  const { '*': path = '' } = useParams<{ '*': string }>()
  const name = path.split('/').map(decodeURIComponent).join('/')
  const file = useQuery({
    // Opened once: what others save meanwhile is met when one's own is saved.
    queryKey: ['file', name], queryFn: ({ signal }) => whenLeft(name).then(() => getFile(name, signal)), staleTime: Infinity, gcTime: 0,
    refetchOnReconnect: false,
  })
  return (
    <Answer query={file} waiting={<Page title={name} isFull>{null}</Page>}>
      {(found) => <Writing key={`${found.file} ${file.dataUpdatedAt}`} file={found} />}
    </Answer>
  )
}

type Open = 'rehearse' | 'publish' | 'drop' | null

function Writing({ file }: { readonly file: FileView }) {
  const mayEdit = useMay('editor') && file.is_writable
  const [draft, tell] = useDraft(file, mayEdit)
  const [opened, setOpened] = useState<Open>(null)
  const [line, setLine] = useState(1)
  const [goTo, setGoTo] = useState<{ readonly line: number; readonly n: number } | null>(null)
  const [rehearsalId, setRehearsalId] = useState('')
  const [rehearsal, setRehearsal] = useState<RehearsalView | null>(null)
  const checked = useCheck(file.file, draft.text)
  const complete = useComplete(file.kind, checked.chart)
  const show = useCallback((at: number) => setGoTo((before) => ({ line: at, n: (before?.n ?? 0) + 1 })), [])
  const write = useCallback((text: string) => tell({ is: 'written', text }), [tell])
  const report = rehearsal?.report ?? null
  const saved = savedOf(draft)
  const nErrors = checked.problems.filter((each) => each.severity === 'error').length
  useLeaving(file.file)
  return (
    <Page
      title={file.file} isFull
      note={mayEdit ? undefined : AUTHOR.readOnly}
      actions={(
        <>
          <SavedBadge saved={saved} />
          {draft.etag !== null && mayEdit && <Button look="quiet" icon="trash" label={AUTHOR.drop} onClick={() => setOpened('drop')} />}
          <Button icon="play" disabled={nErrors > 0} onClick={() => setOpened('rehearse')}>{AUTHOR.rehearse.title}</Button>
          {mayEdit && (
            <Button look="primary" icon="up" disabled={draft.etag === null || nErrors > 0 || saved !== 'saved'} title={publishHint(saved, nErrors)} onClick={() => setOpened('publish')}>
              {AUTHOR.publish.title}
            </Button>
          )}
        </>
      )}
    >
      <div className={css.place}>
        <div className={css.left}>
          <YamlEditor
            label={AUTHOR.editor} text={draft.text} isReadOnly={!mayEdit} problems={checked.problems} onChange={write} onLine={setLine}
            complete={complete} goTo={goTo}
          />
          <Problems problems={checked.problems} isChecked={checked.isChecked} onPick={show} />
        </div>
        <div className={css.right}>
          <DraftChart
            chart={checked.chart} isStale={checked.isStale} text={draft.text} line={line} isReadOnly={!mayEdit} problems={checked.problems}
            report={report} onWrite={write} onLine={show} onClearReport={() => setRehearsal(null)}
          />
        </div>
      </div>
      {draft.phase.is === 'conflict' && <Conflict now={draft.phase.now} mine={draft.text} onSettle={(text) => tell({ is: 'settled', text })} />}
      {draft.phase.is === 'failed' && <Failure error={draft.phase.error} onRetry={() => write(draft.text)} />}
      {opened === 'rehearse' && (
        <Rehearse definition={{ file: file.file, text: draft.text }} id={rehearsalId} onId={setRehearsalId} onDone={setRehearsal} onClose={() => setOpened(null)} />
      )}
      {opened === 'publish' && draft.etag !== null && (
        <Publish file={file.file} etag={draft.etag} chart={checked.chart} onClose={() => setOpened(null)} onConflict={(now) => tell({ is: 'refused', now })} />
      )}
      {opened === 'drop' && draft.etag !== null && <Drop file={file.file} etag={draft.etag} onDropped={() => tell({ is: 'dropped' })} onClose={() => setOpened(null)} />}
    </Page>
  )
}

const TONES: Readonly<Record<Saved, Tone>> = { clean: 'plain', saved: 'good', waiting: 'plain', saving: 'plain', conflict: 'warn', failed: 'bad' }

function SavedBadge({ saved }: { readonly saved: Saved }) {
  return <span role="status"><Badge tone={TONES[saved]} hasDot>{AUTHOR.saved[saved]}</Badge></span>
}

function publishHint(saved: Saved, nErrors: number): string | undefined {
  return nErrors > 0 ? AUTHOR.publish.errors : saved === 'saved' ? undefined : AUTHOR.publish.notSaved
}

/** The list of files is looked at anew after something was written here. */
function useLeaving(file: string): void {
  const queries = useQueryClient()
  useEffect(() => () => { void whenLeft(file).then(() => queries.invalidateQueries({ queryKey: ['files'] })) }, [queries, file])
}

function Drop({ file, etag, onDropped, onClose }: {
  readonly file: string
  readonly etag: string
  readonly onDropped: () => void
  readonly onClose: () => void
}) {
  const [error, setError] = useState<unknown>(null)
  const [, go] = useLocation()
  const drop = async () => {
    try {
      await dropDraft(file, etag)
      onDropped()
      go('/author')
    } catch (failure) {
      setError(failure)
    }
  }
  return (
    <Dialog
      title={AUTHOR.dropTitle} onClose={onClose}
      actions={<><Button onClick={onClose}>{COMMON.cancel}</Button><Button look="danger" onClick={() => void drop()}>{AUTHOR.drop}</Button></>}
    >
      <p>{AUTHOR.dropText}</p>
      {error !== null && <Failure error={error} />}
    </Dialog>
  )
}
