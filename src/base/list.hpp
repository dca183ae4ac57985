// Intrusive lists: the elements carry the links, so that nothing is allocated. The elements are owned elsewhere.
#pragma once

#include <cstddef>

namespace cow {

// Singly linked, first in first out.
template <class T, T* T::* next>
class Queue {
 public:
  bool empty() const { return !head_; }
  T* front() const { return head_; }

  void push(T& element) {
    element.*next = nullptr;
    (head_ ? tail_->*next : head_) = &element;
    tail_ = &element;
  }

  T& pop() {
    T& element = *head_;
    head_ = element.*next;
    return element;
  }

  // Takes out every element for which drop(T&) is true, in order.
  template <class Drop>
  void remove_if(Drop drop) {
    Queue kept;
    while (head_) {
      T& element = pop();
      if (!drop(element)) kept.push(element);
    }
    *this = kept;
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
};

// Links of a doubly linked list; an element may have several.
template <class T>
struct Links {
  T* next = nullptr;
  T* previous = nullptr;
};

template <class T>
class List {
 public:
  bool empty() const { return !head_; }
  T* front() const { return head_; }

  // `links` says which of an element's links this list uses: links(T&) -> Links<T>&.
  template <class LinksOf>
  void push_back(T& element, LinksOf links) {
    links(element) = {nullptr, tail_};
    (tail_ ? links(*tail_).next : head_) = &element;
    tail_ = &element;
  }

  template <class LinksOf>
  void remove(T& element, LinksOf links) {
    Links<T>& own = links(element);
    (own.previous ? links(*own.previous).next : head_) = own.next;
    (own.next ? links(*own.next).previous : tail_) = own.previous;
    own = {};
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
};

}  // namespace cow
