import { expect, test } from 'vitest'
import { type ForeignChain, type ForeignRule, planFor } from '../../../engine/network/foreign-chains.ts'

const rule = (id: string, rest: Partial<ForeignRule> = {}): ForeignRule => ({
  ...{ id, ours: false, ofAnEngine: rest.ours ?? false, always: false, verdict: null },
  ...rest,
})
const into = rule('into', { ours: true, verdict: 'accept' })
const outOf = rule('out of', { ours: true, verdict: 'accept' })
const somebodyBad = rule('somebody bad', { verdict: 'drop' })
const theRest = rule('the rest', { always: true, verdict: 'drop' })
const forward = (...rules: ForeignRule[]): ForeignChain => ({
  ...{ name: 'FORWARD', hook: 'forward', dropsByPolicy: true, rules },
})
const plan = (chain: ForeignChain, wanted = true) => planFor(chain, [chain], wanted)

test('ours stand right before where the rest is dropped, and are left there', () => {
  expect(plan(forward(somebodyBad))).toEqual({ remove: [], addBefore: 'end' })
  expect(plan(forward(somebodyBad, into, outOf))).toEqual({ remove: [], addBefore: undefined })
  expect(plan(forward(somebodyBad, into, outOf, theRest))).toEqual({ remove: [], addBefore: undefined })
})

test('a rule that was added behind ours comes before them again: what it drops stays dropped', () => {
  expect(plan(forward(into, outOf, somebodyBad))).toEqual({ remove: [into, outOf], addBefore: 'end' })
  expect(plan(forward(into, somebodyBad, outOf, theRest))).toEqual({
    remove: [into, outOf],
    addBefore: theRest,
  })
})

test('two engines on one host stand beside each other, and neither moves for the other', () => {
  const others = rule('of another engine', { ofAnEngine: true, verdict: 'accept' })
  const none = { remove: [], addBefore: undefined }
  expect(plan(forward(somebodyBad, into, outOf, others, others))).toEqual(none)
  expect(plan(forward(somebodyBad, others, others, into, outOf, theRest))).toEqual(none)
  expect(plan(forward(into, outOf, others, others, somebodyBad)).remove).toEqual([into, outOf])
})

test('ours go when one of them is missing, when they are not wanted, and where nothing is dropped', () => {
  expect(plan(forward(somebodyBad, into))).toEqual({ remove: [into], addBefore: 'end' })
  expect(plan(forward(somebodyBad, into, outOf), false)).toEqual({
    remove: [into, outOf],
    addBefore: undefined,
  })
  const open = { ...forward(into, outOf), dropsByPolicy: false }
  expect(plan(open)).toEqual({ remove: [into, outOf], addBefore: undefined })
})
