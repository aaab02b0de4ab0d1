/** Graphs: React Flow with the studio's manners. What nodes and edges look like is said by who uses it. */

import '@xyflow/react/dist/base.css'
import {
  Background, BackgroundVariant, ControlButton, Controls, getViewportForBounds, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, useStore, useStoreApi,
  type Edge, type EdgeTypes, type FitViewOptions, type Node, type NodeTypes,
} from '@xyflow/react'
import { useCallback, useEffect, useRef, type ReactNode } from 'react'
import { COMMON } from '../../text/common'
import { Icon } from '../Icon'
import css from './Graph.module.css'
import type { Box } from './layout'

export interface Room {
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly left: number
}

interface Props<N extends Node, E extends Edge> {
  readonly label: string
  readonly nodes: N[]
  readonly edges: E[]
  readonly nodeTypes: NodeTypes
  readonly edgeTypes?: EdgeTypes
  readonly onPickNode?: (node: N) => void
  readonly onPickEdge?: (edge: E) => void
  /** The ground was clicked, at a point of the graph. */
  readonly onPickNothing?: (at: { readonly x: number; readonly y: number }) => void
  /** Changes: the whole is brought into view again. */
  readonly fitKey: string
  /** What is brought into view, where that is more than the nodes: what is drawn around them. */
  readonly extent?: Box | null
  readonly hasMiniMap?: boolean
  /** What is kept free around the whole, px: for what lies over the graph. */
  readonly room?: Room
  readonly children?: ReactNode
}

export function Graph<N extends Node, E extends Edge>(props: Props<N, E>) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  )
}

const PADDING = 0.12
const ZOOM = { least: 0.08, most: 2, fitted: 1 }

function paddingOf(room: Room | undefined): NonNullable<FitViewOptions['padding']> {
  return room ? { top: `${room.top}px`, right: `${room.right}px`, bottom: `${room.bottom}px`, left: `${room.left}px` } : PADDING
}

function Flow<N extends Node, E extends Edge>(props: Props<N, E>) {
  const { label, nodes, edges, nodeTypes, edgeTypes, onPickNode, onPickEdge, onPickNothing, fitKey, extent, hasMiniMap, room, children } = props
  const flow = useReactFlow()
  const store = useStoreApi()
  const fitted = useRef('')
  const place = useRef<HTMLDivElement>(null)
  const setMoving = (isMoving: boolean) => place.current?.toggleAttribute('data-moving', isMoving)
  const hasPlace = useStore(({ width, height }) => width > 0 && height > 0)
  const around = useRef({ extent, room })
  around.current = { extent, room }
  const fit = useCallback(() => {
    const { width, height } = store.getState()
    const padding = paddingOf(around.current.room)
    if (!around.current.extent) return flow.fitView({ padding, maxZoom: ZOOM.fitted })
    return flow.setViewport(getViewportForBounds(around.current.extent, width, height, ZOOM.least, ZOOM.fitted, padding))
  }, [flow, store])
  useEffect(() => {
    if (!hasPlace || nodes.length === 0 || fitted.current === fitKey) return
    fitted.current = fitKey
    requestAnimationFrame(() => void fit())
  }, [fitKey, hasPlace, nodes.length, fit])
  return (
    <div ref={place} className={css.graph} role="region" aria-label={label}>
      <ReactFlow<N, E>
        nodes={nodes} edges={edges} nodeTypes={nodeTypes} {...(edgeTypes ? { edgeTypes } : {})}
        onMoveStart={() => setMoving(true)} onMoveEnd={() => setMoving(false)}
        onNodeClick={(_, node) => onPickNode?.(node)} onEdgeClick={(_, edge) => onPickEdge?.(edge)}
        onPaneClick={(event) => onPickNothing?.(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }))}
        onlyRenderVisibleElements nodesDraggable={false} nodesConnectable={false} elementsSelectable={false}
        nodesFocusable={false} edgesFocusable={false} fitView={!extent} fitViewOptions={{ padding: PADDING, maxZoom: ZOOM.fitted }}
        minZoom={ZOOM.least} maxZoom={ZOOM.most} panOnScroll={false} zoomOnDoubleClick={false} proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1} />
        <Controls showInteractive={false} showFitView={false}>
          <ControlButton className={css.fit ?? ''} title={COMMON.fit} aria-label={COMMON.fit} onClick={() => void fit()}><Icon name="fit" size={12} /></ControlButton>
        </Controls>
        {hasMiniMap && <MiniMap pannable zoomable ariaLabel="" />}
        {children}
      </ReactFlow>
    </div>
  )
}
