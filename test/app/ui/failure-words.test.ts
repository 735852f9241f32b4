import { readFileSync } from 'node:fs'
import { NextIntlClientProvider } from 'next-intl'
import { createElement, type ReactElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import en from '../../../app/_messages/en.json' with { type: 'json' }
import zhCN from '../../../app/_messages/zh-CN.json' with { type: 'json' }
import { DeploymentSteps } from '../../../app/(dashboard)/[team]/[project]/[app]/deployment-steps.tsx'
import { FailureCard } from '../../../app/(dashboard)/[team]/[project]/[app]/failure-card.client.tsx'
import { type StepName, stepFacts, stepNames } from '../../../platform/model/deployment-step.ts'
import type { Facts } from '../../../platform/model/facts.ts'
import { type Failure, failureCodes, failureFacts } from '../../../platform/model/failure.ts'

const languages = [
  { locale: 'en', messages: en },
  { locale: 'zh-CN', messages: zhCN },
] as const

const sentence = 'The worker says so.'
const common = { exitCode: null, signal: null, oomKilled: false, lastLogLines: [] }

/** Everything that the words for a code may ask for, such as a worker gives it. */
const always: Facts = {
  ...{ image: 'ghcr.io/acme/{app}:<1>', reason: 'It said no', seconds: 30, path: '/health', status: 404 },
  ...{ timeoutMs: 5_000, layers: 3, sizeBytes: 4_200_000, ports: '80, 81', limitBytes: 64 * 2 ** 20 },
  ...{ host: 'ghcr.io', username: 'ada', wanted: 'Dockerfile', found: 'a, <b>', processes: 2_048 },
  ...{ variable: 'DATABASE_URL', line: 'no <DATABASE_URL>', command: 'gunicorn' },
  ...{ address: 'https://git.example/<a>', ref: 'branch main' },
}
const variants: Facts[] = [
  {
    how: 'signal',
    signal: 'SIGSEGV',
    port: 'any',
    listening: '8080',
    loopback: 'none',
    when: 'later',
    probe: 'status',
  },
  {
    how: 'code',
    exitCode: 3,
    port: 8080,
    listening: '80, 81',
    loopback: '80, 81',
    when: 'later',
    probe: 'timeout',
  },
  {
    how: 'unknown',
    port: 8080,
    listening: '80',
    loopback: '80',
    when: 'first',
    probe: 'refused',
    peakBytes: 2 ** 26,
  },
  {
    how: 'unknown',
    port: 8080,
    listening: '3000',
    loopback: 'none',
    when: 'first',
    probe: 'other',
    command: 'unknown',
  },
  {
    how: 'timeout',
    exitCode: 1,
    port: 8080,
    listening: '3000',
    loopback: 'none',
    when: 'later',
    probe: 'command',
  },
]
const given = variants.map((facts) => ({ ...always, ...facts }))

test('the documentation lists every code', () => {
  const text = readFileSync('docs/failures.md', 'utf8')
  const listed = [...text.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, code]) => code)
  expect(listed.sort()).toEqual([...failureCodes].sort())
})

describe.each(languages)('in $locale', ({ locale, messages }) => {
  function render(element: ReactElement): string {
    const onError = (error: Error) => {
      throw error
    }
    const props = { locale, messages, timeZone: 'UTC', onError, children: element }
    return renderToStaticMarkup(createElement(NextIntlClientProvider, props))
  }
  const card = (failure: Failure) => render(createElement(FailureCard, { failure }))
  const steps = (name: StepName, facts: Facts) => {
    const times = { startedAt: '2026-01-01T10:00:00.000Z', finishedAt: '2026-01-01T10:00:01.000Z' }
    const step = { name, status: 'done' as const, ...times, detail: sentence, facts }
    return render(createElement(DeploymentSteps, { steps: [step], status: 'live' }))
  }

  test.each(failureCodes)(
    '%s has words of its own from each set of facts, not the English sentence',
    (code) => {
      for (const facts of given) {
        const html = card({ step: 'check', code, message: sentence, facts, ...common })
        expect(html).toContain(messages.failure.code[code].title)
        expect(html).not.toContain(sentence)
        if (failureFacts[code].includes('image')) expect(html).toContain('ghcr.io/acme/{app}:&lt;1&gt;')
        if (failureFacts[code].includes('reason')) expect(html).toContain('It said no')
      }
    },
  )

  test('a code of another version, and one without its facts, fall back on the sentence of the worker', () => {
    const unknown = { step: 'check', code: 'struck-by-lightning', facts: {}, message: sentence, ...common }
    expect(card(unknown as unknown as Failure)).toContain(sentence)
    expect(
      card({ ...common, step: 'pull', code: 'image-not-found', facts: {}, message: sentence }),
    ).toContain(sentence)
  })

  test.each(stepNames)('the step %s has a name, and words for what it found', (name) => {
    const html = steps(name, given[0] ?? {})
    expect(html).toContain(messages.step.name[name])
    expect(html.includes(sentence)).toBe(stepFacts[name] === null)
    expect(steps(name, {})).toContain(sentence)
  })
})
