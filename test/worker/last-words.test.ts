import { describe, expect, test } from 'vitest'
import { isOtherPlatform, missingCommand, missingVariable } from '../../worker/last-words.ts'

const nothing = () => false

describe('the variable that an app asks for', () => {
  test.each([
    ['Error: DATABASE_URL is not set', 'DATABASE_URL'],
    ['DATABASE_URL must be set', 'DATABASE_URL'],
    ['❌ "STRIPE_SECRET_KEY": Required', 'STRIPE_SECRET_KEY'],
    ['  DATABASE_URL: required', 'DATABASE_URL'],
    ['Missing required environment variable: TOKEN', 'TOKEN'],
    ['environment variable "API_KEY" not found', 'API_KEY'],
    ['error: Environment variable not found: DATABASE_URL.', 'DATABASE_URL'],
    ['The SENTRY_DSN environment variable is undefined', 'SENTRY_DSN'],
    ["KeyError: 'SECRET'", 'SECRET'],
    ['`fetch\': key not found: "RAILS_MASTER_KEY" (KeyError)', 'RAILS_MASTER_KEY'],
    ['/start.sh: line 3: HOST: unbound variable', 'HOST'],
    ['sh: REDIS_URL: parameter not set', 'REDIS_URL'],
    ["Could not resolve placeholder 'SPRING_DATASOURCE_URL' in value", 'SPRING_DATASOURCE_URL'],
    ['       You must specify POSTGRES_PASSWORD to a non-empty value for the', 'POSTGRES_PASSWORD'],
    ['django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.', 'SECRET_KEY'],
    ['\u001b[31mDATABASE_URL is missing\u001b[0m', 'DATABASE_URL'],
    ['please set APP_KEY in the environment', 'APP_KEY'],
  ])('%s', (line, variable) => {
    expect(missingVariable(['Starting', line, '    at main.js:3'], nothing)?.variable).toBe(variable)
  })

  test.each([
    'ReferenceError: config is not defined',
    'HTTPS is required',
    'ERROR: connection refused',
    "KeyError: 'user'",
    'Listening, NODE_ENV is production',
    'WARNING: root is not recommended',
    'environment ready, all variables are set',
    'error: the id is missing',
  ])('nothing in: %s', (line) => {
    expect(missingVariable([line], nothing)).toBeNull()
  })

  test('is none that it was given, and the last one that it names', () => {
    const lines = ['API_KEY is not set', 'DATABASE_URL is not set']
    expect(missingVariable(lines, nothing)?.variable).toBe('DATABASE_URL')
    expect(missingVariable(lines, (name) => name === 'DATABASE_URL')?.variable).toBe('API_KEY')
  })

  test('is found quickly in lines that are made to be slow', () => {
    const lines = ['A_'.repeat(100_000), `missing ${'env '.repeat(50_000)}`, 'environment '.repeat(20_000)]
    const begun = process.cpuUsage()
    expect(missingVariable(lines, nothing)).toBeNull()
    const { user } = process.cpuUsage(begun)
    expect(user).toBeLessThan(1_000_000)
  })
})

test.each([
  ['sh: gunicorn: not found', 'gunicorn'],
  ['/bin/sh: 1: node: not found', 'node'],
  ['start.sh: line 3: npm: command not found', 'npm'],
  ["env: 'python': No such file or directory", 'python'],
  ['[FATAL tini (7)] exec puma failed: No such file or directory', 'puma'],
  ['nothing of the kind', null],
])('the command that was not found: %s', (line, command) => {
  expect(missingCommand(['Starting', line])).toBe(command)
})

test('a program for another processor', () => {
  expect(isOtherPlatform(['exec /app: exec format error'])).toBe(true)
  expect(isOtherPlatform(['/bin/sh: /app: cannot execute binary file: Exec format error'])).toBe(true)
  expect(isOtherPlatform(['format error in line 3'])).toBe(false)
})
