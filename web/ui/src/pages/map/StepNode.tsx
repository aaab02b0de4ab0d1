/** One step on the map: its people, how long they stay, whether they get to the goal, and what hurts. */

import { Handle, Position, type Node, type NodeProps } from '@xyflow/react'
import { memo } from 'react'
import { cx } from '../../parts/cx'
import { duration, share, shortCount } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { MAP } from '../../text/map'
import css from './Map.module.css'
import type { MapNode } from './model'

export const NODE_WIDTH = 196
export const NODE_HEIGHT = 74

export type StepNodeType = Node<{
  readonly step: MapNode
  readonly isPicked: boolean
  readonly isDim: boolean
  readonly onPick: (name: string) => void
}, 'step'>

export const StepNode = memo(function StepNode({ data: { step, isPicked, isDim, onPick } }: NodeProps<StepNodeType>) {
  const words = MAP.node
  return (
    <button
      type="button" className={cx(css.step, step.isGoal && css.goal, isDim && css.dim)} aria-pressed={isPicked}
      onClick={(event) => { event.stopPropagation(); onPick(step.name) }}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} className={css.handle} />
      <span className={css.stepHead}>
        <span className={css.stepName} title={step.name}>{MAP.step(step.name)}</span>
        {step.friction && (
          <span className={css.friction} title={words.friction(share(step.friction.share), step.friction.signal)}>
            <Icon name="warn" size={12} />{share(step.friction.share, 0)}
          </span>
        )}
      </span>
      <span className={css.people}>
        <b>{shortCount(step.people)}</b> {words.people} · {share(step.share, 0)}
      </span>
      <Share value={step.share} />
      <span className={css.small}>
        <span title={words.dwell}><Icon name="clock" size={11} />{duration(step.dwell_p50_ms)}</span>
        {step.conversion != null && !step.isGoal && (
          <span title={words.converts}><Icon name="right" size={11} />{share(step.conversion, 0)}</span>
        )}
        {step.leaving >= 0.005 && <span title={words.leaving}><Icon name="out" size={11} />{share(step.leaving, 0)}</span>}
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} className={css.handle} />
    </button>
  )
})

function Share({ value }: { readonly value: number }) {
  return (
    <svg className={css.bar} viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden>
      <rect width="100" height="3" className={css.barGround} /><rect width={Math.min(100, value * 100)} height="3" className={css.barShare} />
    </svg>
  )
}
