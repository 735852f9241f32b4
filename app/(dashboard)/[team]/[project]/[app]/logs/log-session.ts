import type { LogGap, LogLine } from '@/platform/model/events.ts'
import { createLineMatcher, parseLogQuery } from '@/platform/model/log-query.ts'
import { AskError, type AskLogs, type LogPage } from './ask-logs.ts'
import {
  emptyWindow,
  firstNumber,
  isFull,
  isMissing,
  type LogItem,
  type LogWindow,
  lastNumber,
  type MissingLines,
  withFound,
  withNewer,
  withOlder,
} from './log-window.ts'
import type { SearchAside } from './search-aside.ts'

export interface LogState {
  window: LogWindow
  phase: 'loading' | 'ready' | 'failed'
  /** Of what was asked last, where that failed. */
  problem: AskError | null
  isLoadingOlder: boolean
  isLoadingNewer: boolean
  /** How far back the search has looked, when it was ended by its time. */
  searchedTo: string | null
  /** The live stream goes on after this line; null: it is not followed. */
  liveAfter: number | null
  /** New lines since the reader left the end. */
  held: number
  /** The line that was asked for is not kept any more. */
  isLineGone: boolean
  isDiskFull: boolean
}

export interface SessionOptions {
  ask: AskLogs
  params: Record<string, string>
  /** Begin around this line instead of at the end. */
  line: number | null
  /** By which live lines are searched for a regular expression; made only for one. */
  searchAside: (query: string) => SearchAside
}

const pageLines = 500
const aroundLines = 200
/** While nobody takes them: what a tab in the background may gather. */
const maxWaiting = 20_000

const begin: LogState = {
  window: emptyWindow,
  phase: 'loading',
  problem: null,
  isLoadingOlder: false,
  isLoadingNewer: false,
  searchedTo: null,
  liveAfter: null,
  held: 0,
  isLineGone: false,
  isDiskFull: false,
}

/** One view of an app's log, from when it is opened until its filter changes: history, search and live tail in one. */
export class LogSession {
  readonly #options: SessionOptions
  #closing = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #isWanted: (line: LogLine) => boolean
  #aside: SearchAside | null = null
  /** The search does not end here: the host tries it, with a limit. */
  #isEndless = false
  #state = begin
  #waiting: LogItem[] = []
  #olderCursor: string | null = null
  /** The last line that a search forwards has looked at, match or not. */
  #lookedTo = 0
  #follows = true

  constructor(options: SessionOptions) {
    this.#options = options
    this.#isWanted = matcherOf(options.params)
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  readonly state = (): LogState => this.#state

  /** Whether new lines are asked for instead of followed. */
  get polls(): boolean {
    return !this.#isBounded && this.#isEndless
  }

  get #isBounded(): boolean {
    return this.#options.params.until !== undefined
  }

  close(): void {
    this.#closing.abort()
    this.#aside?.close()
  }

  /** Begins, or begins anew: also after it was closed. */
  async open(): Promise<void> {
    const { line } = this.#options
    this.close()
    this.#closing = new AbortController()
    const { query = '' } = this.#options.params
    this.#aside = parseLogQuery(query).some(isRegex) ? this.#options.searchAside(query) : null
    this.#isEndless = false
    this.#set({ ...begin })
    await this.#guarded('failed', async () => {
      if (line === null) await this.#openAtEnd()
      else await this.#openAround(line)
    })
  }

  async #openAtEnd(): Promise<void> {
    const page = await this.#page({ limit: String(pageLines) })
    const window = withOlder(emptyWindow, page.data.toReversed(), page.nextCursor !== null)
    this.#olderCursor = page.nextCursor
    this.#set({ phase: 'ready', window, searchedTo: page.searchedTo, isDiskFull: page.isDiskFull })
    this.#attach(page)
  }

  async #openAround(line: number): Promise<void> {
    const [before, after] = await Promise.all([
      this.#page({ before: String(line + 1), limit: String(aroundLines) }),
      this.#page({ after: String(line), limit: String(aroundLines) }),
    ])
    const older = withOlder(emptyWindow, before.data.toReversed(), before.nextCursor !== null)
    const window = withNewer(older, after.data, after.nextCursor !== null)
    this.#olderCursor = before.nextCursor
    const isLineGone = before.data[0]?.number !== line
    this.#follows = false
    this.#set({ phase: 'ready', window, isLineGone, isDiskFull: after.isDiskFull })
    if (after.nextCursor === null) this.#attach(after)
  }

  /** The window reaches the end: what is written from now on comes live. */
  #attach(page: LogPage): void {
    this.#lookedTo = Math.max(page.last ?? 0, lastNumber(this.#state.window) ?? 0)
    if (!this.#isBounded && !this.polls) this.#set({ liveAfter: this.#lookedTo })
  }

  async older(): Promise<void> {
    const { window, phase, isLoadingOlder } = this.#state
    if (phase !== 'ready' || isLoadingOlder || !window.hasOlder) return
    this.#set({ isLoadingOlder: true, problem: null })
    await this.#guarded('ready', async () => {
      const first = firstNumber(window)
      const from: Record<string, string> =
        this.#olderCursor !== null
          ? { cursor: this.#olderCursor }
          : first === null
            ? {}
            : { before: String(first) }
      const page = await this.#page({ ...from, limit: String(pageLines) })
      this.#olderCursor = page.nextCursor
      const grown = withOlder(this.#state.window, page.data.toReversed(), page.nextCursor !== null)
      this.#set({ window: grown, searchedTo: page.searchedTo })
      if (grown.hasNewer) this.#detach()
    })
    this.#set({ isLoadingOlder: false })
  }

  /** What comes after the last line that is shown; at the end it is followed again. */
  async newer(): Promise<void> {
    const { window, phase, isLoadingNewer, liveAfter } = this.#state
    if (phase !== 'ready' || isLoadingNewer || liveAfter !== null) return
    if (!window.hasNewer && !this.polls) return
    this.#set({ isLoadingNewer: true, problem: null })
    await this.#guarded('ready', async () => {
      const last = lastNumber(window) ?? 0
      const after = window.hasNewer ? last : Math.max(last, this.#lookedTo)
      const page = await this.#page({ after: String(after), limit: String(pageLines) })
      this.#grow(page.data, page.nextCursor !== null)
      if (page.nextCursor === null) this.#attach(page)
    })
    this.#set({ isLoadingNewer: false })
  }

  /** Reads what was left out between two lines. */
  async find(missing: MissingLines): Promise<void> {
    await this.#guarded('ready', async () => {
      const page = await this.#page({ after: String(missing.after), limit: '1000' })
      const reachesEnd = page.nextCursor === null || (page.data.at(-1)?.number ?? 0) >= missing.before - 1
      const isNarrowed = Object.keys(this.#options.params).length > 0
      const isNone = !page.data.some(({ number }) => number < missing.before)
      const rest = !reachesEnd ? 'more' : isNone && !isNarrowed ? 'gone' : 'none'
      this.#set({ window: withFound(this.#state.window, missing, page.data, rest) })
    })
  }

  /** To the newest line, wherever the reader is. */
  async toEnd(): Promise<void> {
    this.follow(true)
    if (this.#state.window.hasNewer) await this.#guarded('ready', () => this.#openAtEnd())
  }

  /** Whether the reader is at the end. */
  follow(follows: boolean): void {
    this.#follows = follows
    if (follows && this.#state.held > 0) this.#set({ held: 0 })
  }

  /** One event of the live stream. */
  receive(data: string, id: string): void {
    if (this.#state.liveAfter === null) return
    const event = JSON.parse(data) as LogLine | LogGap
    if ('skipped' in event) {
      const before = Number(id.split('-')[0]) + 1
      this.#waiting.push({ missing: true, after: before - 1 - event.skipped, before, isGone: false })
    } else if (this.#isWanted(event)) this.#waiting.push(event)
    if (this.#waiting.length > maxWaiting) this.flush()
  }

  /** Shows what came since the last time. */
  flush(): void {
    const news = this.#waiting
    this.#waiting = []
    if (news.length === 0 || this.#state.liveAfter === null) return
    if (this.#aside === null) this.#add(news)
    else void this.#sift(news, this.#aside, this.#closing.signal)
  }

  /** In the order in which it is called, since the search answers in that order. */
  async #sift(news: readonly LogItem[], aside: SearchAside, closed: AbortSignal): Promise<void> {
    const lines = news.filter((item): item is LogLine => !isMissing(item))
    const isOver = () => closed.aborted || this.#state.liveAfter === null
    try {
      const matches = await aside.match(lines)
      if (isOver()) return
      const wanted = new Set<LogItem>(lines.filter((_, index) => matches[index]))
      const [last] = news.slice(-1)
      if (last !== undefined) this.#lookedTo = isMissing(last) ? last.before - 1 : last.number
      this.#add(news.filter((item) => isMissing(item) || wanted.has(item)))
    } catch {
      if (isOver()) return
      this.#isEndless = true
      this.#detach()
    }
  }

  #add(news: readonly LogItem[]): void {
    if (news.length === 0) return
    if (!this.#follows && isFull(this.#state.window)) {
      // What is being read would go for it.
      this.#set({ window: { ...this.#state.window, hasNewer: true } })
      this.#detach()
      return
    }
    this.#grow(news, false)
    if (!this.#follows) this.#set({ held: this.#state.held + news.length })
  }

  #grow(news: readonly LogItem[], hasNewer: boolean): void {
    const before = this.#state.window
    const window = withNewer(before, news, hasNewer)
    if (firstNumber(window) !== firstNumber(before) && before.items.length > 0) this.#olderCursor = null
    this.#set({ window })
  }

  #detach(): void {
    this.#waiting = []
    this.#set({ liveAfter: null, held: 0 })
  }

  #page(range: Record<string, string>): Promise<LogPage> {
    return this.#options.ask.page({ ...this.#options.params, ...range }, this.#closing.signal)
  }

  async #guarded(phase: LogState['phase'], work: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing
    try {
      await work()
    } catch (error) {
      if (signal.aborted) return
      const problem = error instanceof AskError ? error : new AskError('internal', String(error))
      this.#set({ phase, problem })
    }
  }

  #set(change: Partial<LogState>): void {
    if (this.#closing.signal.aborted) return
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}

function isRegex({ kind }: { kind: string }): boolean {
  return kind === 'regex'
}

/** Whether a line that comes live belongs to the view; a regular expression is not tried here. */
function matcherOf(params: Record<string, string>): (line: LogLine) => boolean {
  const { query = '', process, replica, deployment, stream } = params
  const isMatch = createLineMatcher(parseLogQuery(query).filter((term) => !isRegex(term)))
  return (line) =>
    (process === undefined || line.process === process) &&
    (replica === undefined || line.replica === Number(replica)) &&
    (deployment === undefined || line.deploymentId === deployment) &&
    (stream === undefined || line.stream === stream) &&
    isMatch(line)
}
