/** A boot test: the service of this name starts by the first request on its socket, and answers with its name and what else is given. */
export function activation<Fields extends object>(name: string, path: string, fields: Fields) {
  const answer = { name, ...fields };
  return { type: "socket-activation", socket: `${name}.socket`, service: `${name}.service`, path, answer } as const;
}
