/** The questions of the attribution page, as its address asks them. */

import { useQuery } from '@tanstack/react-query'
import { ask } from '../../api/questions'
import { useAddress } from '../../parts/url'
import { FIRST_MODELS } from '../../text/attribution'
import { likelyGoal } from '../shared/goals'
import { PATIENT } from '../shared/patience'
import type { AttributionAnswer, CausalAnswer, PathsAnswer } from './answers'
import { modelsOf } from './credit'

/** Bootstrap draws; as the command has it by default. */
const REPLICATES = 200
const MOST_PATHS = 12
/** Answers cost seconds on a long history. */
const FRESH_MS = 60_000

export interface Asked {
  readonly conversion: string
  readonly channel: string
  readonly value: string
  readonly lookback: string
  readonly direct: string
  readonly models: readonly string[]
}

/** What is asked, with the first choices where the address says nothing. */
export function useAsked(steps: readonly string[]): Asked {
  const address = useAddress()
  const models = address.all('model')
  return {
    conversion: address.get('conversion') || likelyGoal(steps),
    channel: address.get('channel'),
    value: address.get('value'),
    lookback: address.get('lookback'),
    direct: address.get('direct') || 'keep',
    models: models.length > 0 ? models : FIRST_MODELS,
  }
}

export function useCredit(asked: Asked) {
  const { conversion, channel, value, lookback, direct, models } = asked
  const query = { conversion, channel, value, lookback, direct, model: models, replicates: REPLICATES }
  return useQuery({
    queryKey: ['attribution', query],
    queryFn: async ({ signal }) => modelsOf(await ask<AttributionAnswer>('attribution', query, signal)),
    enabled: conversion !== '',
    staleTime: FRESH_MS,
    ...PATIENT,
  })
}

export function useCausal({ conversion, channel, value }: Asked) {
  const query = { conversion, channel, value }
  return useQuery({
    queryKey: ['causal', query],
    queryFn: ({ signal }) => ask<CausalAnswer>('causal', query, signal),
    enabled: conversion !== '',
    staleTime: FRESH_MS,
    ...PATIENT,
  })
}

/** Paths of channels: the question about paths, with the channel in place of the step. */
export function usePaths({ channel }: Asked, isOn: boolean) {
  return useQuery({
    queryKey: ['paths', channel],
    queryFn: ({ signal }) =>
      ask<PathsAnswer>('paths', { map: `step=${channel || 'channel'}`, collapse: true, limit: MOST_PATHS }, signal),
    enabled: isOn,
    staleTime: FRESH_MS,
    ...PATIENT,
  })
}
