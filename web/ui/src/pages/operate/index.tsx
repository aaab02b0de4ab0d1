/** Operate: what comes in, what goes out, what went wrong, and what stands still. */

import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useMoves } from '../../api/live'
import { getStatus } from '../../api/operate'
import { Answer } from '../../parts/Answer'
import { Page } from '../../parts/Page'
import { useMay } from '../../parts/session'
import { Tabs } from '../../parts/Tabs'
import { oneOf, useAddress } from '../../parts/url'
import { OPERATE } from '../../text/operate'
import { AccountsTab } from './Accounts'
import { DeadTab } from './Dead'
import { FailedTab } from './Failed'
import { ForgottenTab } from './Forgotten'
import { HoldsTab } from './Holds'
import { SinksTab } from './Sinks'
import { SourcesTab } from './Sources'
import { StatusFigures } from './Status'
import { TailTab } from './Tail'

const TABS = ['events', 'failed', 'dead', 'sinks', 'sources', 'holds', 'accounts', 'forgotten'] as const
type Key = (typeof TABS)[number]
const FOR_ADMINS: readonly Key[] = ['accounts', 'forgotten']
const REFRESH_MS = 2_000

export default function OperatePage() {
  const address = useAddress()
  const tab = oneOf(address.get('tab'), TABS)
  const isAdmin = useMay('admin')
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => getStatus(signal) })
  useMoves('progress', () => void status.refetch({ cancelRefetch: false }), REFRESH_MS)
  const shown = TABS.filter((key) => !FOR_ADMINS.includes(key) || isAdmin)
  return (
    <Page title={OPERATE.title} note={OPERATE.about}>
      <Answer query={status}>{(view) => <StatusFigures status={view} />}</Answer>
      <Tabs
        label={OPERATE.views} current={shown.includes(tab) ? tab : 'events'}
        tabs={shown.map((key) => ({ key, label: OPERATE.tabs[key] }))}
        onChange={(next) => address.set({ tab: next === 'events' ? null : next })}
      >
        {contentOf(shown.includes(tab) ? tab : 'events')}
      </Tabs>
    </Page>
  )
}

function contentOf(tab: Key): ReactNode {
  switch (tab) {
    case 'events':
      return <TailTab />
    case 'failed':
      return <FailedTab />
    case 'dead':
      return <DeadTab />
    case 'sinks':
      return <SinksTab />
    case 'sources':
      return <SourcesTab />
    case 'holds':
      return <HoldsTab />
    case 'accounts':
      return <AccountsTab />
    case 'forgotten':
      return <ForgottenTab />
    default:
      return tab satisfies never
  }
}
