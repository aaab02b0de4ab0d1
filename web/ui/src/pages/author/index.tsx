/** Files and drafts: what can be written here, and what is being written. */

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { listFiles, saveDraft } from '../../api/authoring'
import type { FileEntry } from '../../api/schema'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Dialog } from '../../parts/Dialog'
import { Empty } from '../../parts/Empty'
import { Failure } from '../../parts/Failure'
import { Select } from '../../parts/Filters'
import { ago, instant } from '../../parts/format'
import { Page } from '../../parts/Page'
import { useMay } from '../../parts/session'
import { Table, type Column } from '../../parts/Table'
import { useAddress } from '../../parts/url'
import { whoOf } from '../../parts/who'
import { COMMON } from '../../text/common'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'

const TITLES = AUTHOR.columns

export function editPath(file: string): string {
  return `/author/${file.split('/').map(encodeURIComponent).join('/')}`
}

const COLUMNS: readonly Column<FileEntry>[] = [
  { key: 'file', title: TITLES.file, value: (file) => file.file, cell: (file) => <Link className={css.file} href={editPath(file.file)}>{file.file}</Link> },
  { key: 'kind', title: TITLES.kind, value: (file) => AUTHOR.kinds[file.kind] },
  { key: 'state', title: TITLES.state, value: stateOf, cell: (file) => <Badge tone={file.is_draft ? 'accent' : 'plain'}>{AUTHOR.states[stateOf(file)]}</Badge> },
  { key: 'problems', title: TITLES.problems, value: (file) => file.n_problems, isNumber: true, cell: (file) => (file.n_problems ? <Badge tone="bad">{file.n_problems}</Badge> : '0') },
  { key: 'updated', title: TITLES.updated, value: (file) => file.updated_at, isNumber: true, cell: (file) => <span title={instant(file.updated_at)}>{ago(file.updated_at, Date.now())}</span> },
  { key: 'by', title: TITLES.by, value: (file) => file.updated_by && whoOf(file.updated_by) },
]

export default function AuthorPage() {
  const address = useAddress()
  const [, go] = useLocation()
  const [isNew, setIsNew] = useState(false)
  const mayEdit = useMay('editor')
  const files = useQuery({ queryKey: ['files'], queryFn: listFiles })
  const journey = address.get('journey')
  const wanted = journey ? files.data?.find((file) => file.kind === 'journey' && file.name === journey) : undefined
  useEffect(() => {
    if (wanted) go(editPath(wanted.file), { replace: true })
  }, [wanted, go])
  return (
    <Page
      title={AUTHOR.title} note={AUTHOR.note}
      actions={mayEdit && <Button look="primary" icon="plus" onClick={() => setIsNew(true)}>{AUTHOR.create}</Button>}
    >
      <Answer query={files}>
        {(found) => (
          <>
            <Card isFlush>
              <Table
                label={AUTHOR.title} rows={found} columns={COLUMNS} rowKey={(file) => file.file} sortedBy={{ key: 'file', isDown: false }}
                empty={<Empty icon="author" title={AUTHOR.empty.title}>{AUTHOR.empty.text}</Empty>}
              />
            </Card>
            {isNew && <NewJourney files={found} onClose={() => setIsNew(false)} />}
          </>
        )}
      </Answer>
    </Page>
  )
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

function NewJourney({ files, onClose }: { readonly files: readonly FileEntry[]; readonly onClose: () => void }) {
  const folders = [...new Set(files.map((file) => file.file.split('/')[0] ?? ''))].filter(Boolean)
  const [folder, setFolder] = useState(folders[0] ?? 'journeys')
  const [name, setName] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [, go] = useLocation()
  const queries = useQueryClient()
  const file = `${folder}/${name}.yaml`
  const problem = name && !NAME.test(name) ? AUTHOR.nameBad : files.some((each) => each.file === file) ? AUTHOR.nameTaken : ''
  const create = async () => {
    try {
      await saveDraft(file, AUTHOR.template(name), { etag: null })
      await queries.invalidateQueries({ queryKey: ['files'] })
      go(editPath(file))
    } catch (failure) {
      setError(failure)
    }
  }
  return (
    <Dialog
      title={AUTHOR.create} onClose={onClose}
      actions={(
        <>
          <Button onClick={onClose}>{COMMON.cancel}</Button>
          <Button look="primary" disabled={!name || problem !== ''} onClick={() => void create()}>{AUTHOR.makeIt}</Button>
        </>
      )}
    >
      <form className={css.form} onSubmit={(event) => { event.preventDefault(); if (name && !problem) void create() }}>
        <label>{AUTHOR.name}<input value={name} autoFocus onChange={(event) => setName(event.target.value)} aria-invalid={problem !== ''} /></label>
        <p className={problem ? css.bad : css.faint}>{problem || AUTHOR.nameHint}</p>
        {folders.length > 1 && <Select label={AUTHOR.folder} value={folder} choices={folders.map((value) => ({ value, label: value }))} onChange={setFolder} />}
      </form>
      {error !== null && <Failure error={error} />}
    </Dialog>
  )
}

function stateOf(file: FileEntry): keyof typeof AUTHOR.states {
  return file.is_new ? 'fresh' : file.is_draft ? 'draft' : 'file'
}
