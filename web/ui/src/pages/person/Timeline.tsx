/** Everything that happened to a person, newest first, by what it is about. */

import { useMemo, useState } from 'react'
import { Button } from '../../parts/Button'
import { Card } from '../../parts/Card'
import { Empty } from '../../parts/Empty'
import { Check, FilterBar } from '../../parts/Filters'
import { useAddress } from '../../parts/url'
import { COMMON } from '../../text/common'
import { PERSON } from '../../text/people'
import { tellAll, type Fact, type Topic } from './facts'
import { Lines } from './Lines'
import css from './person.module.css'

const TOPICS = Object.keys(PERSON.topics) as readonly Topic[]
const PER_PAGE = 100

export function Timeline({ facts, isCut }: { readonly facts: readonly Fact[]; readonly isCut: boolean }) {
  const address = useAddress()
  const hidden = address.all('hide')
  const [nShown, setShown] = useState(PER_PAGE)
  const lines = useMemo(() => tellAll(facts).toReversed(), [facts])
  const wanted = lines.filter((line) => !hidden.includes(line.topic))
  const toggle = (topic: Topic, isOn: boolean) =>
    address.set({ hide: isOn ? hidden.filter((one) => one !== topic) : [...hidden, topic] })
  return (
    <Card title={PERSON.timeline} note={isCut ? PERSON.newest(facts.length) : PERSON.timelineNote}>
      <FilterBar onClear={hidden.length > 0 ? () => address.set({ hide: null }) : undefined}>
        {TOPICS.filter((topic) => lines.some((line) => line.topic === topic)).map((topic) => (
          <Check key={topic} label={PERSON.topics[topic]} isOn={!hidden.includes(topic)} onChange={(isOn) => toggle(topic, isOn)} />
        ))}
      </FilterBar>
      {wanted.length === 0 ? <Empty icon="clock" title={PERSON.noLines} /> : <Lines lines={wanted.slice(0, nShown)} isLinked />}
      {wanted.length > nShown && (
        <p className={css.more}><Button onClick={() => setShown(nShown + PER_PAGE)}>{COMMON.rows(wanted.length - nShown)}</Button></p>
      )}
    </Card>
  )
}
