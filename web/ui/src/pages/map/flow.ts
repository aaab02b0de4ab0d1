/** Flows as a sankey draws them: a step stands once in each column, and what it is called there is its own. */

import type { FlowKind, FlowsAnswer } from '../../api/questions'
import { shortCount } from '../../parts/format'
import { MAP } from '../../text/map'

export interface Band {
  readonly source: string
  readonly target: string
  readonly value: number
}

export interface Place {
  /** Unlike any other's. */
  readonly name: string
  readonly step: string
  readonly label: string
  readonly kind: FlowKind
  readonly depth: number
}

export function sankeyOf(flows: FlowsAnswer): { readonly nodes: readonly Place[]; readonly links: readonly Band[] } {
  const nodes = flows.nodes.map((node) => ({
    name: placeOf(node.column, node.kind, node.name), step: nameOf(node.kind, node.name), kind: node.kind, depth: node.column,
    label: `${nameOf(node.kind, node.name)}  ${shortCount(node.count)}`,
  }))
  const known = new Set(nodes.map((node) => node.name))
  const links = flows.links.map((link) => ({
    source: placeOf(link.column, link.source_kind, link.source),
    target: placeOf(link.column + 1, link.target_kind, link.target),
    value: link.count,
  }))
  return { nodes, links: links.filter((link) => known.has(link.source) && known.has(link.target)) }
}

export function flowRows(flows: FlowsAnswer): readonly (readonly [number, string, string, number])[] {
  return flows.links.map((link) => [
    link.column + 1, nameOf(link.source_kind, link.source), nameOf(link.target_kind, link.target), link.count,
  ])
}

function placeOf(column: number, kind: FlowKind, name: string | null): string {
  return `${column} ${kind} ${name ?? ''}`
}

function nameOf(kind: FlowKind, name: string | null): string {
  return kind === 'ended' ? MAP.sankey.left : kind === 'other' ? MAP.sankey.other : MAP.step(name ?? '')
}
