import type { JobData } from '../../platform/jobs.ts'
import { answerLinkRequest } from '../../platform/link-requests.ts'
import { deliver } from '../../platform/mail/outbox.ts'
import type { Host } from '../host.ts'
import type { JobRun } from '../run-job.ts'

/** One attempt at a letter. Where it fails for now, the queue comes back soon and the worker's round later. */
export async function sendMail(
  host: Host,
  { mailId }: JobData<'send-mail'>,
  { stopping }: JobRun,
): Promise<void> {
  await deliver(host.platform, mailId, stopping)
}

/** Finds out whom a letter is for, where nobody can tell by the time that it takes. */
export async function answerLink(host: Host, { requestId }: JobData<'answer-link-request'>): Promise<void> {
  await answerLinkRequest(host.platform, requestId)
}
