/** What the attribution page is asked: the conversion, what names a channel, and the models. */

import { Check, FilterBar, Select, TextField } from '../../parts/Filters'
import { useAddress } from '../../parts/url'
import { ATTRIBUTION, MODELS } from '../../text/attribution'
import css from './attribution.module.css'
import type { Asked } from './useAttribution'

const DIRECT = Object.entries(ATTRIBUTION.directChoices).map(([value, label]) => ({ value, label }))

export function Asking({ asked, steps }: { readonly asked: Asked; readonly steps: readonly string[] }) {
  const address = useAddress()
  const set = (name: string) => (value: string) => address.set({ [name]: value })
  const toggle = (model: string, isOn: boolean) => {
    const next = isOn ? [...asked.models, model] : asked.models.filter((one) => one !== model)
    if (next.length > 0) address.set({ model: next })
  }
  return (
    <FilterBar onClear={address.all('model').length > 0 ? () => address.set({ model: null }) : undefined}>
      <TextField label={ATTRIBUTION.conversion} value={asked.conversion} placeholder={ATTRIBUTION.conversionHint} choices={steps} onChange={set('conversion')} />
      <TextField label={ATTRIBUTION.channel} value={asked.channel} placeholder={ATTRIBUTION.channelHint} onChange={set('channel')} width={110} />
      <TextField label={ATTRIBUTION.value} value={asked.value} placeholder={ATTRIBUTION.valueHint} onChange={set('value')} width={110} />
      <TextField label={ATTRIBUTION.lookback} value={asked.lookback} placeholder={ATTRIBUTION.lookbackHint} onChange={set('lookback')} width={70} />
      <Select label={ATTRIBUTION.direct} value={asked.direct} choices={DIRECT} onChange={set('direct')} />
      <fieldset className={css.models}>
        <legend className="visually-hidden">{ATTRIBUTION.models}</legend>
        {Object.entries(MODELS).map(([model, { name, says }]) => (
          <span key={model} title={says}>
            <Check label={name} isOn={asked.models.includes(model)} onChange={(isOn) => toggle(model, isOn)} />
          </span>
        ))}
      </fieldset>
    </FilterBar>
  )
}
