import { expect, test } from 'vitest'
import { parseEnvFile, writeEnvFile } from '../../platform/model/env-file.ts'

function read(text: string) {
  return Object.fromEntries(parseEnvFile(text).variables.map(({ name, value }) => [name, value]))
}

test('a .env file is read as its authors mean it', () => {
  const file = [
    '# database',
    'PORT=8080',
    'export NODE_ENV = production  # with a comment',
    'URL=postgres://u:p@db/app?x=1#not-a-comment',
    `SINGLE='a $b "c" # d'`,
    'DOUBLE="line one\\nline \\"two\\"" # why',
    'EMPTY=',
    '',
    'KEY="-----BEGIN-----',
    'abc=',
    '-----END-----"',
    'LAST=1',
  ].join('\r\n')
  expect(read(file)).toEqual({
    PORT: '8080',
    NODE_ENV: 'production',
    URL: 'postgres://u:p@db/app?x=1#not-a-comment',
    SINGLE: 'a $b "c" # d',
    DOUBLE: 'line one\nline "two"',
    EMPTY: '',
    KEY: '-----BEGIN-----\nabc=\n-----END-----',
    LAST: '1',
  })
})

test('the last one of a name counts, and an open quote is part of the value', () => {
  expect(read('A=1\nA=2\nB="open')).toEqual({ A: '2', B: '"open' })
})

test('lines that are no variables are named', () => {
  expect(parseEnvFile('A=1\nnonsense\n# fine\n2B=3\nC="x\ny"\nagain\n').badLines).toEqual([2, 4, 7])
})

test('what is written is read back the same', () => {
  const variables = [
    '',
    'plain',
    'a b',
    '"quoted" and \\',
    'two\nlines\r\n\t#',
    "it's",
    ' padded ',
    '$HOME `x`',
    '汉字',
  ].map((value, at) => ({ name: `V${at}`, value }))
  expect(parseEnvFile(writeEnvFile(variables))).toEqual({ variables, badLines: [] })
})
