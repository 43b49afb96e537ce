export default function (amp) {
  const started = new Set() // the threads that were told what holds at their start
  const prompts = new Map() // what was asked last, by thread
  const about = (event, more) => ({ session_id: String(event?.thread?.id ?? ""), cwd: process.cwd(), ...more })
  const text = (content) =>
    typeof content === "string" ? content : (content ?? []).filter((part) => part?.type === "text").map((part) => part.text).join("\n")

  amp.on("agent.start", async (event) => {
    const { session_id: thread } = about(event)
    const prompt = text(event?.message)
    prompts.set(thread, prompt)
    const told = started.has(thread) ? [] : [await hook("session-start", about(event, { source: "startup" }))]
    started.add(thread)
    told.push(await hook("user-prompt", about(event, { prompt })))
    const content = told.filter(Boolean).join("\n\n")
    return content ? { message: { content } } : {}
  })
  amp.on("agent.end", async (event) => {
    const { session_id: thread } = about(event)
    const last = (event?.messages ?? []).filter((message) => message?.role === "assistant").at(-1)
    await hook("stop", about(event, { prompt: prompts.get(thread) ?? "", last_assistant_message: text(last?.content) }))
  })
}
