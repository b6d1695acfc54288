// things.js, beside ostiary.js in the front end
import { refresh } from "/ostiary.js";

const BACK_END = "https://api.example.com";
let session = null; // what `refresh` answered: {access_token, user, …}; in memory only

export async function things(userId, method = "GET") {
  const ask = () => fetch(`${BACK_END}/users/${userId}/things`, { method, headers: { Authorization: `Bearer ${session.access_token}` } });
  if (session?.user.id !== userId) session = await refresh(); // nobody yet, or somebody else
  let answer = await ask();
  if (answer.status === 401) { // outlived: a fresh one, once
    session = await refresh(); // throws when there is no session any more: show the sign-in form
    answer = await ask();
  }
  if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status });
  return answer.status === 204 ? null : answer.json();
}
