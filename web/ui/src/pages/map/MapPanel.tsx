/** Beside the map: all that is known of the step or move that was clicked, and who it was. */

import { useQuery } from '@tanstack/react-query'
import { askPeople } from '../../api/questions'
import { Answer } from '../../parts/Answer'
import { Badge } from '../../parts/Badge'
import { Button } from '../../parts/Button'
import { ago, count, duration, instant, interval, points, share } from '../../parts/format'
import { Facts, Panel, PanelPart } from '../../parts/Panel'
import { bareId, PersonLink } from '../../parts/PersonLink'
import { Table } from '../../parts/Table'
import { MAP } from '../../text/map'
import css from './Map.module.css'
import type { MapEdge, MapModel, MapNode } from './model'
import { keyOf, selectionOf, type Picked, type View } from './selection'

const WORDS = MAP.panel
/** Who is listed: the rest is found by narrowing down. */
const N_PEOPLE = 50

interface Props {
  readonly view: View
  readonly model: MapModel
  readonly picked: Picked
  readonly hasGoal: boolean
  readonly onPick: (picked: Picked | null) => void
}

export function MapPanel(props: Props) {
  const { model, picked, onPick, view } = props
  const step = picked.kind === 'step' ? model.nodes.find((node) => node.name === picked.step) : undefined
  const move = picked.kind === 'move'
    ? model.edges.find((edge) => edge.source === picked.source && edge.target === picked.target) : undefined
  const title = picked.kind === 'step' ? MAP.step(picked.step) : `${MAP.step(picked.source)} → ${MAP.step(picked.target)}`
  return (
    <Panel kind={picked.kind === 'step' ? WORDS.step : WORDS.move} title={title} close={WORDS.close} onClose={() => onPick(null)}>
      {step && <StepFacts {...props} step={step} />}
      {move && <MoveFacts move={move} />}
      <Who view={view} picked={picked} />
    </Panel>
  )
}

function StepFacts({ step, model, hasGoal, onPick, view }: Props & { readonly step: MapNode }) {
  const into = model.edges.filter((edge) => edge.target === step.name && edge.source !== step.name)
  const out = model.edges.filter((edge) => edge.source === step.name && edge.target !== step.name)
  return (
    <>
      <PanelPart>
        <Facts rows={[
          [WORDS.people, `${count(step.people)} · ${share(step.share)}`],
          [WORDS.sessions, count(step.sessions)],
          [WORDS.times, count(step.count)],
          [WORDS.dwell, duration(step.dwell_p50_ms)],
          [WORDS.dwell90, duration(step.dwell_p90_ms)],
          [WORDS.starts, count(step.starts)],
          [WORDS.ends, `${count(step.ends)} · ${WORDS.ofWalks(share(step.leaving))}`],
          [WORDS.repeats, count(step.repeats)],
          [WORDS.returns, count(step.returns)],
          ...(hasGoal && !step.isGoal ? [
            [WORDS.conversion, share(step.conversion)], [WORDS.converted, share(step.converted)],
          ] as const : []),
        ]} />
        {hasGoal && !step.isGoal && <p className={css.note}>{WORDS.forecast}</p>}
        {step.friction && <p><Badge tone="bad">{MAP.node.friction(share(step.friction.share), step.friction.signal)}</Badge></p>}
        <div className={css.buttons}>
          <Button isSmall onClick={() => view.address.set({ did: [...new Set([...view.did, step.name])] })}>{WORDS.onlyThese}</Button>
          <Button isSmall onClick={() => view.address.set({ never: [...new Set([...view.never, step.name])] })}>{WORDS.notThese}</Button>
        </div>
      </PanelPart>
      <Ways title={WORDS.in} edges={into} end="source" onPick={onPick} />
      <Ways title={WORDS.out} edges={out} end="target" onPick={onPick} left={step.ends} total={step.count} />
    </>
  )
}

function Ways({ title, edges, end, onPick, left, total }: {
  readonly title: string
  readonly edges: readonly MapEdge[]
  readonly end: 'source' | 'target'
  readonly onPick: Props['onPick']
  readonly left?: number
  readonly total?: number
}) {
  if (edges.length === 0 && !left) return null
  return (
    <PanelPart>
      <h3>{title}</h3>
      <ul className={css.ways}>
        {edges.toSorted((a, b) => b.people - a.people).slice(0, 8).map((edge) => (
          <li key={edge.id}>
            <button type="button" className={css.way} onClick={() => onPick({ kind: 'move', source: edge.source, target: edge.target })}>
              <span>{MAP.step(edge[end])}</span>
              <span>{count(edge.people)}{end === 'target' ? ` · ${share(edge.share, 0)}` : ''}</span>
            </button>
          </li>
        ))}
        {left !== undefined && total !== undefined && left > 0 && (
          <li className={css.way}><span>{WORDS.left}</span><span>{count(left)} · {share(left / total, 0)}</span></li>
        )}
      </ul>
    </PanelPart>
  )
}

function MoveFacts({ move }: { readonly move: MapEdge }) {
  const { difference } = move
  return (
    <>
      <PanelPart>
        <p><Badge tone={move.way === 'back' ? 'warn' : 'plain'}>{MAP.legend[move.way]}</Badge></p>
        <Facts rows={[
          [WORDS.people, count(move.people)], [WORDS.times, count(move.count)], [WORDS.share, share(move.share)],
          [WORDS.dwell, duration(move.dwell_p50_ms)], [WORDS.dwell90, duration(move.dwell_p90_ms)],
        ]} />
      </PanelPart>
      {difference && (
        <PanelPart>
          <Facts rows={[
            [WORDS.one, share(difference.share_one)], [WORDS.otherSide, share(difference.share_other)],
            [WORDS.difference, points(difference.difference)], ['', interval(difference.low, difference.high, points)],
          ]} />
          <p><Badge tone={difference.is_real ? 'info' : 'plain'}>{difference.is_real ? WORDS.real : WORDS.unsure}</Badge></p>
        </PanelPart>
      )}
    </>
  )
}

function Who({ view, picked }: { readonly view: View; readonly picked: Picked }) {
  const of = picked.kind === 'step' ? { step: picked.step } : { from: picked.source, to: picked.target }
  const people = useQuery({
    queryKey: ['graph-people', view.by, ...keyOf(view), of],
    queryFn: ({ signal }) => askPeople({ ...selectionOf(view, Date.now()), ...of, limit: N_PEOPLE }, signal),
  })
  const now = Date.now()
  return (
    <section aria-label={WORDS.list}>
      <PanelPart>
        <h3>{WORDS.list}</h3>
        <p className={css.note}>
          {people.data?.is_cut ? WORDS.cut(count(people.data.n), people.data.items.length) : WORDS.listNote}
        </p>
      </PanelPart>
      <Answer query={people}>
        {(found) => (
          <Table
            label={WORDS.list} rows={found.items} rowKey={(item) => `${item.id} ${item.session} ${item.at}`} perPage={12} csvName="people"
            empty={<PanelPart><p>{WORDS.noPeople}</p></PanelPart>}
            columns={[
              { key: 'id', title: WORDS.columns.person, value: (item) => item.id, cell: (item) => <PersonLink id={bareId(item.id)} /> },
              { key: 'at', title: WORDS.columns.at, value: (item) => item.at, isNumber: true, cell: (item) => <span title={instant(item.at)}>{ago(item.at, now)}</span> },
              { key: 'channel', title: WORDS.columns.channel, value: (item) => item.channel },
            ]}
          />
        )}
      </Answer>
    </section>
  )
}
