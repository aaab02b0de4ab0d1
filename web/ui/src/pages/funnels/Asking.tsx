/** What a funnel is asked: its steps in their order, and how passes are counted. */

import { useId } from 'react'
import { Button } from '../../parts/Button'
import { FilterBar, Select, TextField } from '../../parts/Filters'
import { Icon } from '../../parts/Icon'
import { oneOf, useAddress } from '../../parts/url'
import { FUNNELS } from '../../text/funnels'
import css from './funnels.module.css'
import { ORDERS, PERS } from './reading'

export function Asking({ steps, known }: { readonly steps: readonly string[]; readonly known: readonly string[] }) {
  const address = useAddress()
  const set = (name: string) => (value: string) => address.set({ [name]: value })
  return (
    <>
      <StepList steps={steps} known={known} onChange={(step) => address.set({ step }, true)} />
      <FilterBar>
        <Select
          label={FUNNELS.order} value={oneOf(address.get('order'), ORDERS)} onChange={set('order')}
          choices={ORDERS.map((value) => ({ value, label: FUNNELS.orders[value] }))}
        />
        <TextField label={FUNNELS.within} value={address.get('within')} placeholder={FUNNELS.withinHint} onChange={set('within')} width={84} />
        <Select
          label={FUNNELS.per} value={oneOf(address.get('per'), PERS)} onChange={set('per')}
          choices={PERS.map((value) => ({ value, label: FUNNELS.pers[value] }))}
        />
        <TextField label={FUNNELS.by} value={address.get('by')} placeholder={FUNNELS.byHint} onChange={set('by')} width={110} />
      </FilterBar>
    </>
  )
}

function StepList({ steps, known, onChange }: {
  readonly steps: readonly string[]
  readonly known: readonly string[]
  readonly onChange: (steps: readonly string[]) => void
}) {
  const id = useId()
  const swap = (at: number) => onChange(steps.map((step, i) => (i === at - 1 ? steps[at]! : i === at ? steps[at - 1]! : step)))
  const add = (field: HTMLInputElement) => {
    const step = field.value.trim()
    if (!step) return
    field.value = ''
    onChange([...steps, step])
  }
  return (
    <div className={css.asked} role="group" aria-label={FUNNELS.steps}>
      <ol className={css.chips}>
        {steps.map((step, i) => (
          <li key={`${i}-${step}`}>
            {i > 0 && <Button look="quiet" isSmall icon="left" label={FUNNELS.earlier(step)} onClick={() => swap(i)} />}
            <span>{step}</span>
            <Button look="quiet" isSmall icon="close" label={FUNNELS.remove(step)} onClick={() => onChange(steps.filter((_, at) => at !== i))} />
          </li>
        ))}
      </ol>
      <span className={css.add}>
        <Icon name="plus" size={13} />
        <label htmlFor={id} className="visually-hidden">{FUNNELS.add}</label>
        <input
          id={id} list={`${id}-known`} placeholder={FUNNELS.add} title={FUNNELS.addHint}
          onKeyDown={(event) => { if (event.key === 'Enter') add(event.currentTarget) }}
          onChange={(event) => { if (known.includes(event.target.value)) add(event.target) }}
        />
        <datalist id={`${id}-known`}>{known.filter((step) => !steps.includes(step)).map((step) => <option key={step} value={step} />)}</datalist>
      </span>
    </div>
  )
}
