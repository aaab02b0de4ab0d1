/** Graphs: React Flow with the studio's manners. What nodes and edges look like is said by who uses it. */

import '@xyflow/react/dist/base.css'
import {
  Background, BackgroundVariant, Controls, getViewportForBounds, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, useStore, useStoreApi,
  type Edge, type EdgeTypes, type Node, type NodeTypes,
} from '@xyflow/react'
import { useCallback, useEffect, useRef, type ReactNode } from 'react'
import css from './Graph.module.css'
import type { Box } from './layout'

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
  readonly children?: ReactNode
}

export function Graph<N extends Node, E extends Edge>(props: Props<N, E>) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  )
}

const FIT = { padding: 0.12, maxZoom: 1 }
const ZOOM = { least: 0.08, most: 2 }
/** Around an extent; the legend stands at the foot. */
const AROUND = { top: '20px', right: '28px', bottom: '56px', left: '28px' } as const

function Flow<N extends Node, E extends Edge>(props: Props<N, E>) {
  const { label, nodes, edges, nodeTypes, edgeTypes, onPickNode, onPickEdge, onPickNothing, fitKey, extent, hasMiniMap, children } = props
  const flow = useReactFlow()
  const store = useStoreApi()
  const fitted = useRef('')
  const place = useRef<HTMLDivElement>(null)
  const setMoving = (isMoving: boolean) => place.current?.toggleAttribute('data-moving', isMoving)
  const hasPlace = useStore(({ width, height }) => width > 0 && height > 0)
  const around = useRef(extent)
  around.current = extent
  const fit = useCallback(() => {
    const { width, height } = store.getState()
    if (!around.current) return flow.fitView(FIT)
    return flow.setViewport(getViewportForBounds(around.current, width, height, ZOOM.least, FIT.maxZoom, AROUND))
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
        nodesFocusable={false} edgesFocusable={false} fitView={!extent} fitViewOptions={FIT} minZoom={ZOOM.least} maxZoom={ZOOM.most}
        panOnScroll={false} zoomOnDoubleClick={false} proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1} />
        <Controls showInteractive={false} fitViewOptions={FIT} onFitView={() => void fit()} />
        {hasMiniMap && <MiniMap pannable zoomable ariaLabel="" />}
        {children}
      </ReactFlow>
    </div>
  )
}
