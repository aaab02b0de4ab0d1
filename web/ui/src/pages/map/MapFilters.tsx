/** What the map is narrowed to: time, goal, who, and what is compared with what. */

import { useState } from 'react'
import { Button } from '../../parts/Button'
import { Dialog } from '../../parts/Dialog'
import { Check, FilterBar, Select, TextField, type Choice } from '../../parts/Filters'
import { Icon } from '../../parts/Icon'
import { TimeRange } from '../../parts/TimeRange'
import { MAP } from '../../text/map'
import { useBelongings, useStepNames, useValues } from './data'
import css from './Map.module.css'
import {
  experimentOf, isNarrowed, KINDS, NO_GOAL, readFilter, SEGMENT, sidesOf, usualSides, variantOf, writeFilter, type Kind, type View,
} from './selection'

const WORDS = MAP.filters

export function MapFilters({ view, goal }: { readonly view: View; readonly goal: string }) {
  const [isAdding, setIsAdding] = useState(false)
  const [isComparing, setIsComparing] = useState(false)
  const steps = useStepNames()
  const { address } = view
  const clear = () => address.set({ ...Object.fromEntries(KINDS.map((kind) => [kind, null])), since: null, until: null })
  return (
    <FilterBar onClear={isNarrowed(view) ? clear : undefined}>
      <TimeRange range={view.range} onChange={(range) => address.set({ since: range.since, until: range.until })} />
      <Select
        label={WORDS.who} value={view.by} onChange={(by) => address.set({ by: by === 'person' ? null : by })}
        choices={[{ value: 'person', label: WORDS.person }, { value: 'session', label: WORDS.session }]}
      />
      <Select
        label={WORDS.goal} value={goal || NO_GOAL} onChange={(next) => address.set({ goal: next })}
        choices={[{ value: NO_GOAL, label: WORDS.noGoal }, ...asChoices(steps.includes(goal) || !goal ? steps : [goal, ...steps])]}
      />
      <Check label={<span title={WORDS.collapseHint}>{WORDS.collapse}</span>} isOn={view.collapse} onChange={(isOn) => address.set({ collapse: isOn ? 'true' : null })} />
      <Chips view={view} />
      <Button isSmall icon="plus" onClick={() => setIsAdding(true)}>{WORDS.add}</Button>
      <Button isSmall look={view.compare ? 'primary' : 'plain'} onClick={() => setIsComparing(true)}>
        {view.compare ? `${WORDS.compare}: ${compareWords(view.compare)}` : WORDS.compare}
      </Button>
      {isAdding && <AddFilter view={view} onClose={() => setIsAdding(false)} />}
      {isComparing && <Compare view={view} onClose={() => setIsComparing(false)} />}
    </FilterBar>
  )
}

function compareWords(compare: string): string {
  const sides = sidesOf(compare)
  return sides ? `${attributeWords(sides.attribute)}: ${sides.one} / ${sides.other || WORDS.others}` : compare
}

function attributeWords(attribute: string): string {
  const experiment = experimentOf(attribute)
  if (experiment !== null) return MAP.experiment(experiment)
  return attribute === SEGMENT ? MAP.segment : MAP.attributes[attribute] ?? attribute
}

function filterWords(kind: Kind, text: string): string {
  if (kind === 'did' || kind === 'never') return `${WORDS[kind]} ${MAP.step(text)}`
  const { attribute, isNot, value } = readFilter(kind, text)
  return `${attributeWords(attribute)} ${isNot ? WORDS.isNot : WORDS.is} ${value.replaceAll('|', ' or ')}`
}

function Chips({ view }: { readonly view: View }) {
  const chips = KINDS.flatMap((kind) => view[kind].map((text) => ({ kind, text })))
  if (chips.length === 0) return null
  return (
    <ul className={css.chips}>
      {chips.map(({ kind, text }) => {
        const words = filterWords(kind, text)
        return (
          <li key={`${kind} ${text}`} className={css.chip}>
            {words}
            <button
              type="button" aria-label={WORDS.remove(words)}
              onClick={() => view.address.set({ [kind]: view[kind].filter((each) => each !== text) })}
            >
              <Icon name="close" size={11} />
            </button>
          </li>
        )
      })}
    </ul>
  )
}

type Relation = 'is' | 'isNot' | 'did' | 'never'

function AddFilter({ view, onClose }: { readonly view: View; readonly onClose: () => void }) {
  const [relation, setRelation] = useState<Relation>('is')
  const [attribute, setAttribute] = useState('channel')
  const [value, setValue] = useState('')
  const steps = useStepNames()
  const isStep = relation === 'did' || relation === 'never'
  const values = useValues(isStep ? '' : attribute)
  const choices = isStep ? steps : values
  const chosen = value || (isStep ? steps[0] ?? '' : '')
  const add = () => {
    if (!chosen) return
    const { kind, text } = relation === 'did' || relation === 'never' ? { kind: relation, text: chosen } : writeFilter(attribute, relation === 'isNot', chosen)
    view.address.set({ [kind]: [...new Set([...view[kind], text])] })
    onClose()
  }
  return (
    <Dialog title={WORDS.add} onClose={onClose} actions={<Button look="primary" disabled={!chosen} onClick={add}>{WORDS.apply}</Button>}>
      <div className={css.row}>
        {!isStep && <AttributeField attribute={attribute} onChange={(next) => { setAttribute(next); setValue('') }} />}
        <Select
          label={WORDS.who} isLabelHidden value={relation} onChange={(next) => { setRelation(next as Relation); setValue('') }}
          choices={(['is', 'isNot', 'did', 'never'] as const).map((each) => ({ value: each, label: WORDS[each] }))}
        />
        <ValueField value={chosen} choices={choices} onChange={setValue} isChoice={isStep} />
      </div>
      {!isStep && <Hint attribute={attribute} />}
    </Dialog>
  )
}

function Compare({ view, onClose }: { readonly view: View; readonly onClose: () => void }) {
  const sides = sidesOf(view.compare)
  const { experiments } = useBelongings()
  const [attribute, setAttribute] = useState(sides?.attribute || 'channel')
  const [one, setOne] = useState(sides?.one ?? '')
  const [other, setOther] = useState(sides?.other ?? '')
  const values = useValues(attribute)
  const choose = (next: string) => {
    const [treatment, control] = usualSides(experiments.get(experimentOf(next) ?? '') ?? [])
    setAttribute(next)
    setOne(treatment)
    setOther(control)
  }
  const compare = (text: string) => {
    view.address.set({ compare: text })
    onClose()
  }
  return (
    <Dialog
      title={WORDS.compare} onClose={onClose}
      actions={(
        <>
          {view.compare && <Button onClick={() => compare('')}>{WORDS.noCompare}</Button>}
          <Button look="primary" disabled={!one || one === other} onClick={() => compare(`${attribute}=${one}${other ? `:${other}` : ''}`)}>
            {WORDS.compare}
          </Button>
        </>
      )}
    >
      <div className={css.form}>
        <span>{WORDS.attribute}</span>
        <AttributeField attribute={attribute} onChange={choose} />
        <span>{WORDS.compareOne}</span>
        <ValueField value={one} choices={values} onChange={setOne} />
        <span>{WORDS.compareOther}</span>
        <ValueField value={other} choices={values.filter((value) => value !== one)} onChange={setOther} none={WORDS.others} />
      </div>
      <Hint attribute={attribute} />
    </Dialog>
  )
}

const CUSTOM = '+'

/** What a segment, or a variant, comes to: whose events, and from when. */
function Hint({ attribute }: { readonly attribute: string }) {
  if (attribute === SEGMENT) return <p className={css.note}>{MAP.segmentHint}</p>
  return experimentOf(attribute) === null ? null : <p className={css.note}>{MAP.variantHint}</p>
}

/** One of the attributes that most have, or any other by its name; a segment, or an experiment. */
function AttributeField({ attribute, onChange }: { readonly attribute: string; readonly onChange: (attribute: string) => void }) {
  const { segments, experiments } = useBelongings()
  const isBelonging = attribute === SEGMENT || experimentOf(attribute) !== null
  const isKnown = attribute in MAP.attributes || isBelonging
  const belongings = new Set([
    ...(segments.length > 0 ? [SEGMENT] : []), ...[...experiments.keys()].map(variantOf), ...(isBelonging ? [attribute] : []),
  ])
  return (
    <span className={css.row}>
      <Select
        label={WORDS.attribute} isLabelHidden value={isKnown ? attribute : CUSTOM} onChange={(next) => onChange(next === CUSTOM ? '' : next)}
        choices={[
          ...Object.entries(MAP.attributes).map(([value, label]) => ({ value, label })),
          ...[...belongings].map((value) => ({ value, label: attributeWords(value) })),
          { value: CUSTOM, label: MAP.other },
        ]}
      />
      {!isKnown && <TextField label={WORDS.attribute} isLabelHidden value={attribute} onChange={onChange} placeholder="plan" />}
    </span>
  )
}

function ValueField({ value, choices, onChange, none, isChoice }: {
  readonly value: string
  readonly choices: readonly string[]
  readonly onChange: (value: string) => void
  /** What no value means. */
  readonly none?: string
  readonly isChoice?: boolean
}) {
  if (choices.length === 0 && !isChoice) {
    return <TextField label={WORDS.value} isLabelHidden value={value} onChange={onChange} placeholder={none ?? WORDS.value} />
  }
  const first = none !== undefined ? [{ value: '', label: none }] : isChoice ? [] : [{ value: '', label: '…' }]
  const known = value && !choices.includes(value) ? [value, ...choices] : choices
  return <Select label={WORDS.value} isLabelHidden value={value} onChange={onChange} choices={[...first, ...asChoices(known)]} />
}

function asChoices(values: readonly string[]): readonly Choice[] {
  return values.map((value) => ({ value, label: MAP.step(value) }))
}
