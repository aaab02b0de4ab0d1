/** Graphs: React Flow with the studio's manners. What nodes and edges look like is said by who uses it. */

import '@xyflow/react/dist/base.css'
import {
  Background, BackgroundVariant, Controls, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow,
  type Edge, type EdgeTypes, type FitViewOptions, type Node, type NodeTypes,
} from '@xyflow/react'
import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import css from './Graph.module.css'

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

const FIT: FitViewOptions = { padding: 0.12, maxZoom: 1 }

function fitOf(room: Room | undefined): FitViewOptions {
  return room
    ? { ...FIT, padding: { top: `${room.top}px`, right: `${room.right}px`, bottom: `${room.bottom}px`, left: `${room.left}px` } }
    : FIT
}

function Flow<N extends Node, E extends Edge>(props: Props<N, E>) {
  const { label, nodes, edges, nodeTypes, edgeTypes, onPickNode, onPickEdge, onPickNothing, fitKey, hasMiniMap, room, children } = props
  const flow = useReactFlow()
  const fit = useMemo(() => fitOf(room), [room])
  const fitted = useRef('')
  const place = useRef<HTMLDivElement>(null)
  const setMoving = (isMoving: boolean) => place.current?.toggleAttribute('data-moving', isMoving)
  useEffect(() => {
    if (nodes.length === 0 || fitted.current === fitKey) return
    fitted.current = fitKey
    requestAnimationFrame(() => void flow.fitView(fit))
  }, [fitKey, nodes.length, flow, fit])
  return (
    <div ref={place} className={css.graph} role="region" aria-label={label}>
      <ReactFlow<N, E>
        nodes={nodes} edges={edges} nodeTypes={nodeTypes} {...(edgeTypes ? { edgeTypes } : {})}
        onMoveStart={() => setMoving(true)} onMoveEnd={() => setMoving(false)}
        onNodeClick={(_, node) => onPickNode?.(node)} onEdgeClick={(_, edge) => onPickEdge?.(edge)}
        onPaneClick={(event) => onPickNothing?.(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }))}
        onlyRenderVisibleElements nodesDraggable={false} nodesConnectable={false} elementsSelectable={false}
        nodesFocusable={false} edgesFocusable={false} fitView fitViewOptions={fit} minZoom={0.08} maxZoom={2}
        panOnScroll={false} zoomOnDoubleClick={false} proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1} />
        <Controls showInteractive={false} fitViewOptions={fit} />
        {hasMiniMap && <MiniMap pannable zoomable ariaLabel="" />}
        {children}
      </ReactFlow>
    </div>
  )
}
