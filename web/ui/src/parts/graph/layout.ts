/** Where the nodes of a graph go: asked of ELK, which computes in a worker of its own. */

import ELK, { type ElkExtendedEdge, type ElkNode, type LayoutOptions } from 'elkjs/lib/elk-api'
import workerAddress from 'elkjs/lib/elk-worker.min.js?url'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface LayoutNode {
  readonly id: string
  readonly width: number
  readonly height: number
  /** The node it stands in. */
  readonly parent?: string | undefined
  /** Of the style `flow`: the column it stands in. */
  readonly column?: number | undefined
}

export interface LayoutEdge {
  readonly id: string
  readonly source: string
  readonly target: string
  /** The room its label needs. */
  readonly label?: { readonly width: number; readonly height: number } | undefined
}

export interface LayoutTask {
  readonly nodes: readonly LayoutNode[]
  readonly edges: readonly LayoutEdge[]
  readonly direction: 'RIGHT' | 'DOWN'
  /** `flow`: only places of nodes are wanted. `chart`: also ways and labels of edges, at right angles. */
  readonly style: 'flow' | 'chart'
}

export interface Layout {
  /** By id; `x` and `y` from the corner of the node it stands in. */
  readonly nodes: ReadonlyMap<string, Box>
  /** By id; from the corner of the whole. */
  readonly edges: ReadonlyMap<string, { readonly points: readonly Point[]; readonly label: Point | null }>
}

let elk: InstanceType<typeof ELK> | null = null

export async function layOut(task: LayoutTask): Promise<Layout> {
  elk ??= new ELK({ workerFactory: () => new Worker(workerAddress) })
  return readLayout(await elk.layout(asElk(task)))
}

/** Write a task as ELK reads it: nodes inside nodes. */
export function asElk(task: LayoutTask): ElkNode {
  const made = new Map<string, ElkNode>(
    task.nodes.map((node) => [node.id, {
      id: node.id, width: node.width, height: node.height, children: [],
      ...(node.column === undefined ? {} : { x: node.column * APART, y: 0 }),
    }]),
  )
  const root: ElkNode = { id: '', layoutOptions: optionsOf(task), children: [] }
  for (const node of task.nodes) {
    const parent = node.parent === undefined ? root : (made.get(node.parent) ?? root)
    if (parent !== root) parent.layoutOptions = INSIDE
    parent.children?.push(made.get(node.id) as ElkNode)
  }
  root.edges = task.edges
    .filter((edge) => made.has(edge.source) && made.has(edge.target))
    .map((edge) => ({
      id: edge.id, sources: [edge.source], targets: [edge.target],
      labels: edge.label ? [{ id: `${edge.id}:label`, text: edge.id, ...edge.label, layoutOptions: ON_ITS_WAY }] : [],
    }))
  return root
}

/** Of columns as they are told to ELK: more than any node is wide, so that none touches two. */
const APART = 10_000

/** A label lies on its edge, and not beside it: so that one sees which it is of. */
const ON_ITS_WAY: LayoutOptions = { 'elk.edgeLabels.inline': 'true' }

const INSIDE: LayoutOptions = { 'elk.padding': '[top=44,left=18,bottom=18,right=18]' }

function optionsOf(task: LayoutTask): LayoutOptions {
  const shared: LayoutOptions = {
    'elk.algorithm': 'layered',
    'elk.direction': task.direction,
    'elk.layered.spacing.nodeNodeBetweenLayers': task.style === 'flow' ? '112' : '56',
    'elk.spacing.nodeNode': task.style === 'flow' ? '56' : '36',
    'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    'elk.json.edgeCoords': 'ROOT',
  }
  if (task.style === 'chart') {
    return {
      ...shared,
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.edgeLabels.placement': 'CENTER',
      'elk.spacing.edgeLabel': '4',
      'elk.spacing.edgeEdge': '14',
      'elk.spacing.edgeNode': '22',
      'elk.layered.spacing.edgeNodeBetweenLayers': '22',
      'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
    }
  }
  const isLarge = task.nodes.length > 80
  return {
    ...shared,
    'elk.edgeRouting': 'POLYLINE',
    // Parts that no placing edge ties would each be laid out alone, and stand below one another from the first column on.
    'elk.separateConnectedComponents': 'false',
    'elk.layered.cycleBreaking.strategy': 'INTERACTIVE',
    'elk.layered.layering.strategy': 'INTERACTIVE',
    'elk.layered.thoroughness': isLarge ? '3' : '10',
    ...(isLarge ? { 'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF' } : {}),
  }
}

/** Read what ELK answers. */
export function readLayout(root: ElkNode): Layout {
  const nodes = new Map<string, Box>()
  const walk = (node: ElkNode) => {
    for (const child of node.children ?? []) {
      nodes.set(child.id, { x: child.x ?? 0, y: child.y ?? 0, width: child.width ?? 0, height: child.height ?? 0 })
      walk(child)
    }
  }
  walk(root)
  return { nodes, edges: new Map((root.edges ?? []).map((edge) => [edge.id, readEdge(edge)])) }
}

function readEdge(edge: ElkExtendedEdge) {
  const points = (edge.sections ?? []).flatMap((part) => [part.startPoint, ...(part.bendPoints ?? []), part.endPoint])
  const label = edge.labels?.[0]
  return {
    points,
    label: label && label.x !== undefined && label.y !== undefined
      ? { x: label.x + (label.width ?? 0) / 2, y: label.y + (label.height ?? 0) / 2 }
      : null,
  }
}
