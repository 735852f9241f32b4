import { expect, test } from 'vitest'
import en from '../../../app/_messages/en.json' with { type: 'json' }
import zhCN from '../../../app/_messages/zh-CN.json' with { type: 'json' }

import { auditActions, auditAreas } from '../../../platform/model/audit-actions.ts'

type Messages = { [key: string]: string | Messages }

test('every message is there in both languages, with the same placeholders and tags', () => {
  const [english, chinese] = [flat(en), flat(zhCN)]
  expect(Object.keys(english).length).toBeGreaterThan(200)
  expect(placeholders(chinese)).toEqual(placeholders(english))
})

test('no message is empty, and Chinese ones use Chinese punctuation', () => {
  for (const [key, text] of Object.entries(flat(zhCN))) {
    expect(text.trim(), key).not.toBe('')
    expect(text, key).not.toMatch(/[\u4e00-\u9fff][,?!]/)
  }
})

test.each([
  ['English', en],
  ['Chinese', zhCN],
])(
  'everything that the audit log tells of has words in %s, and so has each area of its filter',
  (_, messages) => {
    const words = flat(messages.audit.action)
    expect(Object.keys(words).sort()).toEqual([...auditActions].sort())
    expect(Object.keys(messages.audit.area).sort()).toEqual([...auditAreas])
  },
)

function flat(messages: Messages, path = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${path}${key}`, value]] : Object.entries(flat(value, `${path}${key}.`)),
    ),
  )
}

/** Names in braces that open an argument, and tags; plural forms differ between languages and don't count. */
function placeholders(messages: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(messages)
      .map(([key, text]): [string, string[]] => {
        const names = [...text.matchAll(/\{(\w+)[,}]|<(\w+)>/g)].map(([, name, tag]) => name ?? `<${tag}>`)
        return [key, [...new Set(names)].sort()]
      })
      .sort(([a], [b]) => a.localeCompare(b)),
  )
}
