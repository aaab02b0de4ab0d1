/** The time a page is about: all of it, the last days, or between two days; `since` and `until` in the address. */

import { COMMON } from '../text/common'
import { Select, TextField } from './Filters'
import { rangeChoice, rangeOf, type Range } from './ranges'

const LASTS = ['1h', '24h', '7d', '30d', '90d'] as const

export function TimeRange({ range, onChange }: {
  readonly range: Range
  readonly onChange: (range: Range) => void
}) {
  const choice = rangeChoice(range, LASTS)
  return (
    <>
      <Select
        label={COMMON.range.label} value={choice}
        choices={[
          { value: 'all', label: COMMON.range.all },
          ...LASTS.map((last) => ({ value: last, label: COMMON.range.last(last) })),
          { value: 'custom', label: COMMON.range.custom },
        ]}
        onChange={(next) => onChange(rangeOf(next, Date.now()))}
      />
      {choice === 'custom' && (
        <>
          <TextField label={COMMON.range.since} type="date" value={range.since} onChange={(since) => onChange({ ...range, since })} />
          <TextField label={COMMON.range.until} type="date" value={range.until} onChange={(until) => onChange({ ...range, until })} />
        </>
      )}
    </>
  )
}
