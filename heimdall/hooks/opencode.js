export const Heimdall = async ({ directory }) => {
  const started = new Map() // what each session was told at its start: a model is asked several times a turn
  const said = new Map() // what was said last, by session
  const roles = new Map() // of messages
  const about = (session, more = {}) => ({ session_id: session, cwd: directory, ...more })
  const last = (session) => {
    if (!said.has(session)) said.set(session, {})
    return said.get(session)
  }
  return {
    "experimental.chat.system.transform": async (input, output) => {
      const session = input?.sessionID ?? ""
      if (!started.has(session)) started.set(session, hook("session-start", about(session, { source: "startup" })))
      const text = await started.get(session)
      if (text) output.system.push(text)
    },
    "chat.message": async (input, output) => {
      const session = input?.sessionID ?? output?.message?.sessionID ?? ""
      const prompt = (output?.parts ?? []).filter((part) => part.type === "text" && !part.synthetic).map((part) => part.text).join("\n")
      last(session).prompt = prompt
      const text = await hook("user-prompt", about(session, { prompt }))
      if (!text || !output.parts?.length) return
      const id = `prt_${Date.now().toString(16)}${Math.random().toString(36).slice(2, 16)}`
      output.parts.push({ ...output.parts[0], type: "text", id, text, synthetic: true })
    },
    "experimental.session.compacting": async (input, output) => {
      const session = input?.sessionID ?? ""
      const text = await hook("pre-compact", about(session))
      if (text) output.context.push(text)
      started.delete(session)
    },
    event: async ({ event }) => {
      const told = event?.properties ?? {}
      if (event?.type === "message.updated" && told.info?.id) roles.set(told.info.id, told.info.role)
      if (event?.type === "message.part.updated" && told.part?.type === "text" && roles.get(told.part.messageID) === "assistant")
        last(told.part.sessionID).message = told.part.text
      if (event?.type === "session.idle" && said.has(told.sessionID)) {
        const { prompt, message } = said.get(told.sessionID)
        said.delete(told.sessionID)
        roles.clear()
        await hook("stop", about(told.sessionID, { prompt, last_assistant_message: message }))
      }
    },
  }
}
