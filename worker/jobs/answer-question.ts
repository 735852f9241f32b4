import type { Answer, Question } from '../../platform/ask-host.ts'
import type { JobData } from '../../platform/jobs.ts'
import { answerQuestion, takeQuestion } from '../../platform/worker/questions.ts'
import type { Host } from '../host.ts'
import { LogSearchError } from '../logs/store/log-store.ts'
import { takenPorts } from '../ports.ts'

/** Answers somebody who waits at the API for what is kept on this host. */
export async function answerHostQuestion(
  host: Host,
  { questionId }: JobData<'answer-question'>,
): Promise<void> {
  const question = await takeQuestion(host.platform, questionId)
  if (question === null) return
  await answerQuestion(host.platform, questionId, await answerOf(host, question))
}

async function answerOf(host: Host, question: Question): Promise<Answer> {
  try {
    return { value: await look(host, question) }
  } catch (error) {
    if (error instanceof LogSearchError) return { refused: error.message }
    host.log.warn({ err: error, about: question.about }, 'a question could not be answered')
    return { refused: 'The host could not read this. Its log says why.' }
  }
}

function look(host: Host, question: Question): Promise<unknown> {
  switch (question.about) {
    case 'log-lines':
      return host.logStore.search(question.appId, question.search)
    case 'volume-least-size':
      return host.engine.volumes.leastSize(question.volumeId)
    case 'taken-ports':
      return takenPorts(host, question.ports)
    case 'log-counts':
      return host.logStore.histogram(question.appId, question.count)
  }
}
