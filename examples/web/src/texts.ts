/** What the page says, in both languages. */

export type Language = "en" | "fr";

const en = {
  title: "Chat",
  newConversation: "New conversation",
  online: "Online",
  greeting: (name: string) => `Hello! I’m ${name}. What can I do for you?`,
  suggestions: ["What are your opening hours?", "I would like to book an appointment.", "Can I talk to a person?"],
  message: "Message",
  placeholder: "Write a message…",
  send: "Send",
  stop: "Stop",
  waiting: "The reply is on its way",
  failed: "That didn’t work.",
  retry: "Try again",
  other: "Français",
};

const fr: typeof en = {
  title: "Clavardage",
  newConversation: "Nouvelle conversation",
  online: "En ligne",
  greeting: (name) => `Bonjour! Ici ${name}. Que puis-je faire pour vous?`,
  suggestions: [
    "Quelles sont vos heures d’ouverture?",
    "Je voudrais prendre rendez-vous.",
    "Puis-je parler à quelqu’un?",
  ],
  message: "Message",
  placeholder: "Écrivez un message…",
  send: "Envoyer",
  stop: "Arrêter",
  waiting: "La réponse arrive",
  failed: "Cela n’a pas fonctionné.",
  retry: "Réessayer",
  other: "English",
};

export const TEXTS = { en, fr };
