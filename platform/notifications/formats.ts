/** Messages in the form that each kind of receiver takes. */
import { isTrouble } from '../model/app-event-kinds.ts'
import type { NotificationMessage } from '../model/notifications.ts'
import { sentenceOf } from './words.ts'

/** Where the dashboard shows what a message is about. */
export function linkOf(publicUrl: string, { team, about }: NotificationMessage): string {
  if (about === null) return `${publicUrl}/${team.slug}/settings/notifications`
  const path = `${publicUrl}/${team.slug}/${about.project.slug}/${about.app.slug}`
  const { event } = about.entry
  return 'number' in event ? `${path}/deployments/${event.number}` : `${path}/timeline`
}

/** Type, time and data, as Standard Webhooks has it. */
export function webhookBody(publicUrl: string, message: NotificationMessage): string {
  const { team, about, at } = message
  const url = linkOf(publicUrl, message)
  if (about === null)
    return JSON.stringify({ type: 'test', timestamp: at, data: { team, message: testText, url } })
  const { kind, ...event } = about.entry.event
  return JSON.stringify({
    type: kind,
    timestamp: about.entry.at,
    data: {
      ...{
        id: about.entry.id,
        team,
        project: about.project,
        app: about.app,
        actor: about.entry.actor,
        event,
      },
      ...{ message: `${about.app.name}: ${sentenceOf(about.entry.event)}`, url },
    },
  })
}

const testText = 'This is a test from Berth. Messages of this channel arrive here.'

/** https://docs.slack.dev/reference/block-kit/blocks/: a section's text has at most 3,000 characters, `text` 40,000. */
export function slackBody(publicUrl: string, message: NotificationMessage): string {
  const plain = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  const { title, sentence, context } = textsOf(message)
  const mark = isBad(message) ? ':red_circle:' : ':large_green_circle:'
  const link = `<${linkOf(publicUrl, message)}|${plain(cut(title, 100))}>`
  return JSON.stringify({
    text: cut(plain(cut(`${title}: ${sentence}`, 500)), 3_000),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `${mark} *${link}* ${plain(cut(sentence, 500))}` } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: plain(cut(context, 200)) }] },
    ],
  })
}

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
export function discordBody(publicUrl: string, message: NotificationMessage): string {
  const { title, sentence, context } = textsOf(message)
  // What people wrote may look like Discord's own marks: it is shown as it is, and mentions nobody.
  const plain = (text: string) => text.replace(/[\\`*_~|<>@#:[\]()-]/g, '\\$&')
  return JSON.stringify({
    username: 'Berth',
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: cut(title, 256),
        url: linkOf(publicUrl, message),
        description: plain(cut(sentence, 1_500)),
        color: isBad(message) ? 0xd92d20 : 0x12805c,
        footer: { text: cut(context, 500) },
        timestamp: message.about?.entry.at ?? message.at,
      },
    ],
  })
}

function textsOf({ team, about }: NotificationMessage): { title: string; sentence: string; context: string } {
  if (about === null) return { title: 'Berth', sentence: testText, context: team.name }
  const by = about.entry.actor === null ? '' : ` · ${about.entry.actor}`
  return {
    title: about.app.name,
    sentence: sentenceOf(about.entry.event),
    context: `${team.name} / ${about.project.name} · ${about.entry.event.kind}${by}`,
  }
}

function isBad({ about }: NotificationMessage): boolean {
  return about !== null && isTrouble(about.entry.event.kind)
}

/** Characters as JavaScript counts them, and never half of one. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
