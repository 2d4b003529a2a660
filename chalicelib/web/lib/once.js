// Requests that make something, each under an Idempotency-Key of its own: a second click makes nothing twice.
import { call, Problem } from "./api.js";

// Who asks, and how often, was refused: that says nothing of an earlier try, which may have been done.
const BESIDE = [401, 403, 429];

/** Whether it is known what became of a request: after a refusal it is, after a lost answer or a 504 it is not. */
export const isSettled = (error) => error instanceof Problem && error.status < 500 && !BESIDE.includes(error.status);

/** Gives post(path, {body, key, signal}), which keeps the key of a request until it is known what became of it. */
export function poster() {
  const keys = new Map();
  return async function post(path, { body, key, signal } = {}) {
    const request = `${path}\n${body ?? ""}`;
    if (!keys.has(request)) keys.set(request, newKey());
    const headers = { "Idempotency-Key": key || keys.get(request) };
    try {
      const answer = await call("POST", path, { body, headers, signal });
      if (!hasUnsettled(answer.data)) keys.delete(request);
      return answer;
    } catch (error) {
      if (isSettled(error)) keys.delete(request);
      throw error;
    }
  };
}

// An entry of a bulk that reads 503 may have made its job all the same.
const hasUnsettled = (data) => Boolean(data?.results?.some(({ status }) => status >= 500));

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
